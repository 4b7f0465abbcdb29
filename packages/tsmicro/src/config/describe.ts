import type { TObject, TSchema } from 'typebox'
import { choices, type EnvSchema, keywords, type Variable, variables } from './variable.ts'

/**
 * The settings in effect, for a log line at start: every variable of the schema that has a value. Secrets are shown as
 * `[secret]`, and passwords in other URLs are masked.
 *
 * @example
 * const schema = Type.Object({ PORT: Type.Integer(), KEY: secret(Type.String()) })
 * describeConfig(schema, { PORT: 8001, KEY: 'abc' }) // { PORT: 8001, KEY: '[secret]' }
 */
export function describeConfig(schema: TObject, config: object): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const { name, secret } of variables(schema as EnvSchema)) {
    const value = Reflect.get(config, name)
    if (value !== undefined) shown[name] = secret ? '[secret]' : maskPassword(value)
  }
  return shown
}

/** A URL that is not marked as secret may still hold a password. */
function maskPassword(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/(:\/\/[^:/?#\s]*):[^@/?#\s]+@/g, '$1:[secret]@') : value
}

/**
 * Renders a `.env.example` from the schema: the purpose of each variable, what it expects, and its default (commented out, as
 * it applies anyway). Secrets are left empty. The text is deterministic, so that CI can compare the file with its schema.
 *
 * @example
 * const text = envExample(Type.Object({ PORT: Type.Integer({ default: 8001, description: 'HTTP port' }) }))
 */
export function envExample(schema: TObject): string {
  return `${variables(schema as EnvSchema)
    .map(entry)
    .join('\n\n')}\n`
}

function entry(variable: Variable): string {
  const { name, description, required, secret } = variable
  const lines: string[] = []
  if (description !== undefined) lines.push(...description.split('\n').map(line => `# ${line}`))
  lines.push(`# ${required && variable.default === undefined ? 'Required' : 'Optional'}: ${expected(variable.schema)}`)
  if (secret) lines.push(`# Secret; may be given as a file: ${name}_FILE`)
  lines.push(assignment(variable))
  return lines.join('\n')
}

function assignment({ name, required, secret, default: value }: Variable): string {
  if (value !== undefined) return secret ? `# ${name}=` : `# ${name}=${Array.isArray(value) ? value.join(',') : value}`
  return required ? `${name}=` : `# ${name}=`
}

/** What a schema expects, in words: `an integer from 1 to 65535`, `one of debug, info`. */
export function expected(schema: TSchema): string {
  const values = choices(schema)
  if (values !== undefined) return values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`
  const { type, items, anyOf } = keywords(schema)
  if (type === 'integer') return `an integer${range(schema)}`
  if (type === 'number') return `a number${range(schema)}`
  if (type === 'boolean') return 'true or false'
  if (type === 'array' && items !== undefined) return `a comma-separated list, each ${expected(items)}`
  if (anyOf !== undefined) return anyOf.map(expected).join(' or ')
  return text(schema)
}

function range(schema: TSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = keywords(schema)
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  if (minimum !== undefined) return ` of at least ${minimum}`
  if (maximum !== undefined) return ` of at most ${maximum}`
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`
  if (exclusiveMaximum !== undefined) return ` below ${exclusiveMaximum}`
  return ''
}

function text(schema: TSchema): string {
  const { format, pattern, minLength, maxLength } = keywords(schema)
  const parts = ['text']
  if (format !== undefined) parts.push(`in the format ${format}`)
  if (pattern !== undefined) parts.push(`matching ${pattern}`)
  if (minLength !== undefined && maxLength !== undefined) parts.push(`of ${minLength} to ${maxLength} characters`)
  else if (minLength !== undefined) parts.push(`of at least ${minLength} characters`)
  else if (maxLength !== undefined) parts.push(`of at most ${maxLength} characters`)
  return parts.join(' ')
}
