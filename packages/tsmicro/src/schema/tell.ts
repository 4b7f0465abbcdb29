import type { TSchema } from 'typebox'
import { Errors } from 'typebox/schema'
import { Hashing } from 'typebox/system'
import type { ValidationDetail } from '../errors/index.ts'
import { problemsOf } from './problems.ts'
import { isNode, type JsonSchema } from './schema.ts'

/** Values, not schemas: to be compared with as they are. */
const VALUES: readonly string[] = ['const', 'enum', 'default', 'examples']

/**
 * Prepares the telling of what is wrong with a value that does not match. Only for such values: it is slower than a check.
 *
 * `uniqueItems` is worked out here, as TypeBox 1.4 copies its list of duplicates for each further one: 120,000 equal items,
 * half a megabyte of JSON, kept the process busy for two minutes.
 */
export function compileTelling(schema: JsonSchema): (value: unknown) => readonly ValidationDetail[] {
  const telling = withOwnUniqueItems(schema) as TSchema
  return value => problemsOf(Errors(telling, value)[1])
}

function withOwnUniqueItems(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withOwnUniqueItems)
  if (!isNode(node)) return node
  const copy = Object.fromEntries(
    Object.entries(node).map(([key, member]) => [key, VALUES.includes(key) ? member : withOwnUniqueItems(member)]),
  )
  if (node.uniqueItems !== true) return copy
  const { uniqueItems: _, ...rest } = copy
  return { ...rest, '~refine': [...((node['~refine'] as readonly unknown[] | undefined) ?? []), uniqueness(node)] }
}

function uniqueness({ maxItems }: JsonSchema) {
  const most = typeof maxItems === 'number' ? maxItems : Number.POSITIVE_INFINITY
  return {
    // That there are too many is told already, and work for nothing is what a hostile sender wants.
    check: (value: unknown) =>
      !Array.isArray(value) ||
      value.length > most ||
      new Set(value.map(item => Hashing.Hash(item))).size === value.length,
    error: () => 'must not have duplicate items',
  }
}
