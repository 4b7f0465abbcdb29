import type { TSchema } from 'typebox'
import { Build } from 'typebox/schema'
import { Hashing } from 'typebox/system'
import { createChecks } from './checks.ts'
import type { Rule } from './explain.ts'
import type { Matcher } from './references.ts'

/**
 * Compiles a JSON Schema to code, with its first value: most of a service's schemas only explain what does not match another one. In its own
 * file, because browsers do not load TypeBox's compiler.
 */
export const compileMatcher: Matcher = schema => {
  let check: ((value: unknown) => boolean) | undefined
  return value => {
    if (!check) {
      const compiled = Build(schema as TSchema).Evaluate()
      check = each => compiled.Check(each)
    }
    return check(value)
  }
}

/**
 * TypeBox 1.4 copies its list of duplicates for each further one: 120,000 equal items, half a megabyte of JSON, kept a service busy for
 * two minutes.
 */
const uniqueness: Rule = ({ maxItems }) => {
  const most = typeof maxItems === 'number' ? maxItems : Number.POSITIVE_INFINITY
  return {
    // Too many items are already reported as a problem, and a hostile sender wants us to do useless work.
    check: value =>
      !Array.isArray(value) ||
      value.length > most ||
      new Set(value.map(item => Hashing.Hash(item))).size === value.length,
    error: () => 'must not have duplicate items',
  }
}

/**
 * The checks of services, compiled to code.
 *
 * @example
 * const check = compiled.incoming(Type.Object({ name: Type.String() }), 'refuse')
 * check({ name: 'Ada' }) // { value: { name: 'Ada' } }
 * check({ nom: 'Ada' }) // { problems: [{ path: '', message: '…' }] }
 */
export const compiled = createChecks(compileMatcher, uniqueness)
