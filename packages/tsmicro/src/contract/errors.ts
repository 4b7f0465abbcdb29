import { checkError } from '#refusals'
import { createErrorClass, type ErrorClass, type ErrorSpec } from '../errors/index.ts'
import type { Infer, Schema } from '../schema/index.ts'

type DataOf<Spec> = Spec extends { readonly data: infer S } ? Infer<S> : undefined

/** What {@link defineErrors} returns: an error class for each name. */
export type DefinedErrors<Specs> = { readonly [Code in keyof Specs & string]: ErrorClass<Code, DataOf<Specs[Code]>> }

/**
 * Declares an application's errors: one class for each key.
 *
 * @example
 * const { SLUG_TAKEN } = defineErrors({
 *   SLUG_TAKEN: { status: 409, message: 'This slug is taken', data: Type.Object({ slug: Type.String() }) },
 * })
 * throw new SLUG_TAKEN({ slug: 'hello' })
 * @throws {TypeError} when a status is not an integer from 400 to 599, or a name is not in UPPER_CASE or one of the framework's, or a field
 * of its data is declared as something that JSON cannot carry
 */
export function defineErrors<const Specs extends Record<string, ErrorSpec<Schema>>>(
  specs: Specs,
): DefinedErrors<Specs> {
  const classes = Object.entries(specs).map(([code, spec]) => {
    checkError(code, spec)
    return [code, createErrorClass(code, spec)]
  })
  return Object.freeze(Object.fromEntries(classes)) as DefinedErrors<Specs>
}
