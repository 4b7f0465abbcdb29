import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { acceptsOf } from './accepts.ts'
import { closeSchema } from './close.ts'
import { compileDefaults } from './defaults.ts'
import { guarded } from './guarded.ts'
import { MAX_DETAILS } from './problems.ts'
import { compilePrune } from './prune.ts'
import type { JsonSchema, Schema } from './schema.ts'
import { isStandardSchema, type StandardSchema } from './standard.ts'
import { type Check, problemsOfIssues } from './standard-check.ts'
import { compileTelling } from './tell.ts'
import { compileWire, unnamedIn } from './wire-check.ts'

/**
 * `refuse`: an unknown field is a problem (input of clients). `ignore`: it is dropped (messages between services). What a
 * Standard Schema names is what its JSON Schema says.
 */
export type UnknownFields = 'refuse' | 'ignore'

/**
 * Compiles a schema. Costly (code generation): call it at start, never on the request path.
 *
 * @example
 * const check = compileSchema(Type.Object({ name: Type.String() }), 'refuse')
 * check({ name: 'Ada' }) // { value: { name: 'Ada' } }
 * check({ nom: 'Ada' }) // { problems: [{ path: '', message: '…' }] }
 */
export function compileSchema(schema: Schema, unknownFields: UnknownFields): Check {
  if (isStandardSchema(schema)) return standardCheck(schema, unknownFields)
  const closedSchema = closeSchema(schema as JsonSchema)
  const closed = Compile(closedSchema as TSchema)
  if (unknownFields === 'refuse') {
    const tell = compileTelling(closedSchema)
    return guarded(value => (closed.Check(value) ? { value } : { problems: tell(value) }))
  }
  const open = Compile(schema as TSchema)
  const tell = compileTelling(schema as JsonSchema)
  const prune = compilePrune(schema as JsonSchema, acceptsOf)
  // Nearly every message has no unknown field: one check against the closed form, and a copy only for the rest.
  return guarded(value => {
    if (closed.Check(value)) return { value }
    if (!open.Check(value)) return { problems: tell(value) }
    return { value: prune(value) }
  })
}

/** As {@link compileSchema}, for what comes in: absent properties get their schema's default first. */
export function compileRequest(schema: Schema, unknownFields: UnknownFields): Check {
  const check = compileSchema(schema, unknownFields)
  const fill = isStandardSchema(schema) ? undefined : compileDefaults(schema as JsonSchema, acceptsOf)
  return fill ? value => check(fill(value)) : check
}

function standardCheck(schema: StandardSchema, unknownFields: UnknownFields): Check {
  const { prune, problems } = compileWire(schema)
  const check = guarded(value => {
    const wrong = problems(value)
    return wrong.length > 0 ? { problems: wrong } : { value }
  })
  return async value => {
    const named = prune ? prune(value) : value
    const unnamed = unknownFields === 'refuse' ? unnamedIn(value, named) : []
    // Before the library has it, which may make its changes in the value itself, as arktype does.
    const checked = check(named)
    const result = await schema['~standard'].validate(named)
    if (result.issues) return { problems: [...problemsOfIssues(result.issues), ...unnamed].slice(0, MAX_DETAILS) }
    if (unnamed.length > 0) return { problems: unnamed }
    return checked.problems ? checked : { value: result.value }
  }
}
