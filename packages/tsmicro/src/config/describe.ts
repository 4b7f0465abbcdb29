import type { TObject } from 'typebox'
import { type EnvSchema, variables } from './variable.ts'

/**
 * The settings in effect, for a log line at start: every variable of the schema that has a value, secrets as `[secret]`,
 * and passwords inside other URLs masked.
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

/** A URL that nobody marked as secret may still carry a password. */
function maskPassword(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/(:\/\/[^:/?#\s]*):[^@/?#\s]+@/g, '$1:[secret]@') : value
}
