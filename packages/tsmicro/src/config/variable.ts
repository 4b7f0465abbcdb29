import type { TSchema } from 'typebox'

/** The JSON-Schema keywords that matter for an environment variable. */
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

/** One variable of the environment, read from its schema. */
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

/** The variables of a schema in the order in which they are written there. */
export function variables(schema: EnvSchema): Variable[] {
  return Object.entries(schema.properties).map(([name, property]) => ({
    ...keywords(property),
    name,
    schema: property,
    required: schema.required?.includes(name) ?? false,
    secret: isSecret(property),
  }))
}

export function keywords(schema: TSchema): Keywords {
  return schema as Keywords
}

/** The values a schema lists one by one (enum, literal, union of literals), or undefined. */
export function choices(schema: TSchema): readonly unknown[] | undefined {
  const { const: literal, enum: values, anyOf } = keywords(schema)
  if (literal !== undefined) return [literal]
  if (values !== undefined) return values
  if (anyOf === undefined) return undefined
  const all = anyOf.map(choices)
  return all.every(list => list !== undefined) ? all.flat() : undefined
}

/** JSON-Schema keyword that marks a variable whose value is never printed. */
const mark = 'x-secret'

/**
 * Marks a variable as secret: its value is redacted wherever the config is printed, and it may be given as a file
 * (`DATABASE_URL_FILE=/run/secrets/database-url`, the convention of Docker and Kubernetes secrets).
 * At use it is a plain string: `config.DATABASE_URL`.
 *
 * @example
 * const Env = Type.Object({ DATABASE_URL: secret(Type.String({ description: 'PostgreSQL of this service' })) })
 */
export function secret<Schema extends TSchema>(schema: Schema): Schema {
  // TypeBox keeps its kind and modifiers in non-enumerable properties: copy the descriptors, a spread would lose them
  return Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(schema), [mark]: marked }) as Schema
}

const marked: PropertyDescriptor = { value: true, enumerable: true, configurable: true, writable: true }

export function isSecret(schema: object): boolean {
  return mark in schema && schema[mark] === true
}
