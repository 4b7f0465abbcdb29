import type { TSchema } from 'typebox'
import { Check as matches } from 'typebox/schema'
import { createChecks } from './checks.ts'

/**
 * The checks of clients over HTTP, without code generation: pages may forbid it, and it would double their size. A value with a JSON form
 * of its own, such as a Date, is checked and written in that form.
 */
export const interpreted = createChecks(
  schema => value => matches(schema as TSchema, value),
  value => {
    const form = typeof value === 'object' && value !== null && 'toJSON' in value ? value.toJSON : undefined
    return typeof form === 'function' ? form.call(value, '') : value
  },
)
export type Interpreted = typeof interpreted
