import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { acceptsOf } from './accepts.ts'
import { closeSchema } from './close.ts'
import { compileDefaults } from './defaults.ts'
import { guarded } from './guarded.ts'
import { compilePlain } from './plain.ts'
import { compilePrune } from './prune.ts'
import type { JsonSchema, Schema } from './schema.ts'
import { isStandardSchema, type StandardSchema } from './standard.ts'
import { type Check, type Checked, problemsOfIssues } from './standard-check.ts'
import { compileTelling } from './tell.ts'
import { asJson, tellWays } from './unwritable.ts'
import { compileWire } from './wire-check.ts'

/**
 * Compiles the check of what leaves: an answer, an event, a call's data. Its value is what is to be written, and nothing but what
 * was checked: fields that the schema does not name are dropped, and what is no plain object (a row with getters) is copied by the
 * names of the schema. What travels is the schema's input side: a transform runs where the value is taken in, once.
 *
 * @example
 * const check = compileOutgoing(Type.Object({ name: Type.String() }))
 * check({ name: 'Ada', secret: 1 }) // { value: { name: 'Ada' } }
 */
export function compileOutgoing(schema: Schema): Check {
  if (isStandardSchema(schema)) return standardOutgoing(schema)
  const json = schema as JsonSchema
  const closed = Compile(closeSchema(json) as TSchema)
  const open = Compile(schema as TSchema)
  const plain = compilePlain(json)
  const prune = compilePrune(json, acceptsOf)
  const tell = compileTelling(json)
  return guarded(value => {
    // Nearly every value is plain and has no unknown field: a check, and a copy only for the rest.
    if (closed.Check(value) && (!plain || plain(value))) return { value }
    const copy = prune(value)
    return open.Check(copy) ? { value: copy } : { problems: tellWays(tell(copy), value) }
  })
}

/** As {@link compileOutgoing}, for what others will take in: absent properties get their schema's default first. */
export function compileDefaultedOutgoing(schema: Schema): Check {
  const check = compileOutgoing(schema)
  const fill = isStandardSchema(schema) ? undefined : compileDefaults(schema as JsonSchema, acceptsOf)
  return fill ? value => check(fill(value)) : check
}

/** A schema that cannot describe itself is asked for its output: there is no other way to know which fields it names. */
function standardOutgoing(schema: StandardSchema): Check {
  const { prune, problems } = compileWire(schema)
  return async given => {
    const written = asJson(prune ? prune(given) : given)
    if (written.problems) return written
    const wrong = problems(written.value)
    // A copy of what is to be written: a library may make its changes in the value itself, as arktype does.
    const result = await schema['~standard'].validate(prune ? prune(written.value) : written.value)
    if (result.issues) return { problems: tellWays(problemsOfIssues(result.issues), given) } satisfies Checked
    if (wrong.length > 0) return { problems: tellWays(wrong, given) }
    return { value: prune ? written.value : result.value }
  }
}
