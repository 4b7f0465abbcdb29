import type { TSchema } from 'typebox'
import { Check as matches } from 'typebox/schema'
import { createChecks } from './checks.ts'

/** The checks for HTTP clients, without code generation, which a page may forbid and which would double the bundle's size. */
export const interpreted = createChecks(schema => value => matches(schema as TSchema, value))
export type Interpreted = typeof interpreted
