import type { TSchema } from 'typebox'
import { Check as matches } from 'typebox/schema'
import { createChecks } from './checks.ts'

/**
 * The checks for HTTP clients, without code generation, which a page may forbid and which would double the bundle's size. A value with its
 * own JSON form, such as a Date, is checked and written in that form.
 */
export const interpreted = createChecks(
  schema => value => matches(schema as TSchema, value),
  value => {
    const form = typeof value === 'object' && value !== null && 'toJSON' in value ? value.toJSON : undefined
    return typeof form === 'function' ? form.call(value, '') : value
  },
)
export type Interpreted = typeof interpreted
