import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ValidationDetail } from '../errors/index.ts'
import { closeSchema } from './close.ts'
import type { JsonSchema, Schema } from './schema.ts'
import { isStandardSchema, type StandardSchema } from './standard.ts'

/** Outcome of a check: the value to go on with, or every problem found (at most {@link MAX_DETAILS}). */
export type Checked =
  | { readonly value: unknown; readonly problems?: undefined }
  | { readonly problems: readonly ValidationDetail[] }

/** A schema compiled to code. Synchronous for JSON Schema; a Standard Schema may answer with a promise. */
export type Check = (value: unknown) => Checked | Promise<Checked>

/** `refuse`: an unknown field is a problem (input of clients). `ignore`: it is dropped (messages between services). */
export type UnknownFields = 'refuse' | 'ignore'

const MAX_DETAILS = 20

/**
 * Compiles a schema. Costly (code generation): call it at start, never on the request path.
 *
 * @example
 * const check = compileSchema(Type.Object({ name: Type.String() }), 'refuse')
 * check({ name: 'Ada' }) // { value: { name: 'Ada' } }
 * check({ nom: 'Ada' }) // { problems: [{ path: '', message: '…' }] }
 */
export function compileSchema(schema: Schema, unknownFields: UnknownFields): Check {
  if (isStandardSchema(schema)) return standardCheck(schema)
  const closed = Compile(closeSchema(schema as JsonSchema) as TSchema)
  if (unknownFields === 'refuse') {
    return value => (closed.Check(value) ? { value } : { problems: problemsOf(closed.Errors(value)) })
  }
  const open = Compile(schema as TSchema)
  // Nearly every message has no unknown field: one check against the closed form, and cleaning only for the rest.
  return value => {
    if (closed.Check(value)) return { value }
    if (!open.Check(value)) return { problems: problemsOf(open.Errors(value)) }
    return { value: open.Clean(structuredClone(value)) }
  }
}

function standardCheck(schema: StandardSchema): Check {
  return async value => {
    const result = await schema['~standard'].validate(value)
    if (!result.issues) return { value: result.value }
    return {
      problems: result.issues.slice(0, MAX_DETAILS).map(issue => ({
        path: (issue.path ?? []).map(part => String(typeof part === 'object' ? part.key : part)).join('/'),
        message: issue.message,
      })),
    }
  }
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

function problemsOf(errors: readonly SchemaError[]): readonly ValidationDetail[] {
  // `false` schemas only repeat what the unknown-field message of the parent says.
  const telling = errors.filter(error => error.keyword !== 'boolean').slice(0, MAX_DETAILS)
  const problems = telling.map(error => ({
    path: error.instancePath.replace(/^\//, ''),
    message: messageOf(error),
  }))
  return problems.length > 0 ? problems : [{ path: '', message: 'does not match the schema' }]
}

/** Names the fields: "must not have additional properties" alone does not tell a client which one it misspelt. */
function messageOf(error: SchemaError): string {
  const params = error.params as { additionalProperties?: readonly string[]; unevaluatedProperties?: readonly string[] }
  const unknown = params.additionalProperties ?? params.unevaluatedProperties
  if (unknown) return `unknown field ${unknown.map(name => JSON.stringify(String(name).slice(0, 100))).join(', ')}`
  return error.message
}
