import type { TSchema } from 'typebox'

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
