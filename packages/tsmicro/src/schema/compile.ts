import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { createChecks } from './checks.ts'
import type { Matcher } from './references.ts'

/** Compiles a JSON Schema to code. In its own file, because browsers do not load TypeBox's compiler. */
export const compileMatcher: Matcher = schema => {
  const compiled = Compile(schema as TSchema)
  return value => compiled.Check(value)
}

/**
 * The checks of services, compiled to code.
 *
 * @example
 * const check = compiled.incoming(Type.Object({ name: Type.String() }), 'refuse')
 * check({ name: 'Ada' }) // { value: { name: 'Ada' } }
 * check({ nom: 'Ada' }) // { problems: [{ path: '', message: '…' }] }
 */
export const compiled = createChecks(compileMatcher)
