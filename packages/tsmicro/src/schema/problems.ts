import type { ValidationDetail } from '../errors/index.ts'

/** TypeBox stops looking after as many. */
export const MAX_DETAILS = 8

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

/** What a client is told of a value that does not match. */
export function problemsOf(errors: readonly SchemaError[]): readonly ValidationDetail[] {
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
  if (!unknown) return error.message
  const names = unknown.slice(0, MAX_DETAILS).map(name => JSON.stringify(String(name).slice(0, 100)))
  return `unknown field ${names.join(', ')}${unknown.length > MAX_DETAILS ? ' and more' : ''}`
}

/** All of it in one line: `email must be string; (root) must have required properties name`. */
export function tellProblems(problems: readonly ValidationDetail[]): string {
  return problems.map(({ path, message }) => `${path || '(root)'} ${message}`).join('; ')
}
