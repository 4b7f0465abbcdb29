import type { TSchema } from 'typebox'

/** Variables by name, like `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The JSON Schema keywords that matter for an environment variable. */
interface Keywords {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly TSchema[]
  readonly items?: TSchema
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly default?: unknown
  readonly description?: string
}

/** One variable of the environment, as its schema declares it. */
export interface Variable extends Keywords {
  readonly name: string
  readonly schema: TSchema
  readonly required: boolean
  readonly secret: boolean
}

export interface EnvSchema extends TSchema {
  readonly properties: Record<string, TSchema>
  readonly required?: readonly string[]
}

/** The variables of a schema, in the order in which the schema declares them. */
export function variables(schema: EnvSchema): Variable[] {
  return Object.entries(schema.properties).map(([name, property]) => ({
    ...keywords(property),
    name,
    schema: property,
    required: schema.required?.includes(name) ?? false,
    secret: mark in property && property[mark] === true,
  }))
}

export function keywords(schema: TSchema): Keywords {
  return schema as Keywords
}

/** The values that a schema lists (enum, literal, union of literals), or undefined. */
export function choices(schema: TSchema): readonly unknown[] | undefined {
  const { const: literal, enum: values, anyOf } = keywords(schema)
  if (literal !== undefined) return [literal]
  if (values !== undefined) return values
  if (anyOf === undefined) return undefined
  const all = anyOf.map(choices)
  return all.every(list => list !== undefined) ? all.flat() : undefined
}

/** The JSON Schema keyword of a variable whose value is never printed. */
const mark = 'x-secret'

/**
 * Marks a variable as secret: its value is redacted wherever the config is printed, and it may be given as a file
 * (`DATABASE_URL_FILE=/run/secrets/database-url`, the convention of Docker and Kubernetes secrets).
 * In the config it is a plain string: `config.DATABASE_URL`.
 *
 * @example
 * const Env = Type.Object({ DATABASE_URL: secret(Type.String({ description: 'PostgreSQL of this service' })) })
 */
export function secret<Schema extends TSchema>(schema: Schema): Schema {
  // TypeBox keeps its kind and modifiers in non-enumerable properties, which a spread would lose.
  const marked = { value: true, enumerable: true, configurable: true, writable: true }
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(schema), [mark]: marked }) as Schema
}
