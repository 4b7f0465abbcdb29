import type { Static, TSchema } from 'typebox'
import type { StandardSchema } from './standard.ts'

/** JSON Schema made with TypeBox, or a schema of any library that implements Standard Schema (zod, valibot, arktype). */
export type Schema = TSchema | StandardSchema

/**
 * What a handler receives after validation.
 *
 * @example
 * const Page = Type.Object({ number: Type.Integer({ default: 1 }) })
 * const page: Infer<typeof Page> = { number: 1 }
 */
export type Infer<S> =
  S extends StandardSchema<unknown, infer Output> ? Output : S extends TSchema ? Static<S> : undefined

/**
 * What a caller passes before validation: differs from {@link Infer} where a schema has defaults or transforms.
 *
 * @example
 * const spelled: InferInput<typeof UserCreated> = { userId, email, name, role: 'LEARNER' }
 */
export type InferInput<S> =
  S extends StandardSchema<infer Input, unknown> ? Input : S extends TSchema ? Static<S> : undefined

/** Plain JSON Schema 2020-12 as data. */
export type JsonSchema = { readonly [keyword: string]: unknown }

export function isNode(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
