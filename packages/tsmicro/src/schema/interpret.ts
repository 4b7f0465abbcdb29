import type { TSchema } from 'typebox'
import { Check as matches } from 'typebox/schema'
import type { AcceptsOf } from './accepts.ts'
import { compileDefaults } from './defaults.ts'
import { guarded } from './guarded.ts'
import { hasMember } from './member.ts'
import { compilePrune } from './prune.ts'
import { withDefinitions } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'
import type { Checked } from './standard-check.ts'
import { compileTelling } from './tell.ts'
import { asJson, tellWays } from './unwritable.ts'

/**
 * The checks of both directions without code generation: pages forbid it, and may have a third of the compiler's size.
 * For clients over HTTP; what services take and answer is compiled.
 */
export const interpreted = { incoming: interpretIncoming, outgoing: interpretOutgoing } as const
export type Interpreted = typeof interpreted

const acceptsOf: AcceptsOf = (node, root, place = node) => {
  const whole = withDefinitions(node, root, place) as TSchema
  return value => matches(whole, value)
}

/** Prepares the check of what has come; its value has only the fields that the schema names. */
function interpretIncoming(schema: JsonSchema): (value: unknown) => Checked {
  const prune = compilePrune(schema, acceptsOf)
  const tell = compileTelling(schema)
  return guarded(value => (matches(schema as TSchema, value) ? { value: prune(value) } : { problems: tell(value) }))
}

/**
 * Prepares the check of what is to be sent: its JSON form, with its defaults. Its value has only the fields that the schema names; those
 * of its own that only their default gives it are left to the other end, as not every default can be written in a query.
 */
function interpretOutgoing(schema: JsonSchema): (value: unknown) => Checked {
  const fill = compileDefaults(schema, acceptsOf)
  const prune = compilePrune(schema, acceptsOf)
  const tell = compileTelling(schema)
  return guarded(given => {
    const form = formOf(given)
    const value = prune(fill ? fill(form) : form)
    const { value: written = value } = asJson(value) as { readonly value?: unknown }
    if (!matches(schema as TSchema, written)) return { problems: tellWays(tell(written), value) }
    return { value: fill && isNode(value) && isNode(form) ? givenOf(value, form) : value }
  })
}

function formOf(value: unknown): unknown {
  const own = typeof value === 'object' && value !== null && 'toJSON' in value ? value.toJSON : undefined
  return typeof own === 'function' ? own.call(value, '') : value
}

function givenOf(value: JsonSchema, form: object): JsonSchema {
  return Object.fromEntries(Object.entries(value).filter(([name]) => hasMember(form, name)))
}
