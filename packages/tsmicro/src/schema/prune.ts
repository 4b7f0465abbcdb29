import { MAX_DETAILS, type Problems, pointerTo, unknownFields } from './problems.ts'
import { itemsOf, type Matcher, rootOf, withDefinitions } from './references.ts'
import { assign, isNode, type JsonSchema } from './schema.ts'

/** Copies a value that matches a schema, leaving out properties that the schema does not name. */
export type Prune = (value: unknown) => unknown

/** For a schema that says nothing about properties. */
const SAME: Prune = value => value
const OBJECT_KEYWORDS = ['properties', 'patternProperties', 'additionalProperties'] as const

/**
 * Compiles the removal of unknown properties. It uses only JSON Schema, so it works for schemas of any library. It copies, because a
 * handler may have returned a cached or frozen object. Values that the schema does not describe are kept unchanged, at any depth.
 * @param matcher decides which of several alternatives a value matches
 */
export function compilePrune(schema: JsonSchema, matcher: Matcher): Prune {
  const known = new Map<JsonSchema, Prune>()
  const root = rootOf(schema)

  const build = (node: unknown): Prune => {
    if (!isNode(node)) return SAME
    const done = known.get(node)
    if (done) return done
    // A schema may contain itself: while it is being built, others get a reference to the finished result.
    let made: Prune = SAME
    known.set(node, value => made(value))
    made = pruneOf(node)
    known.set(node, made)
    return made
  }

  const pruneOf = (node: JsonSchema): Prune => {
    if (typeof node.$ref === 'string') return build(root.resolve(node))
    const parts = [
      ...(Array.isArray(node.allOf) ? node.allOf.map(build) : []),
      ...(Array.isArray(node.anyOf ?? node.oneOf) ? [branchOf((node.anyOf ?? node.oneOf) as readonly unknown[])] : []),
      ...(OBJECT_KEYWORDS.some(keyword => isNode(node[keyword])) ? [objectOf(node)] : []),
      listOf(node),
    ].filter(part => part !== SAME)
    const [first = SAME, ...others] = parts
    return others.length === 0
      ? first
      : value => others.reduce((kept, part) => union(value, kept, part(value)), first(value))
  }

  const listOf = (node: JsonSchema): Prune => {
    const items = itemsOf(node)
    const first = items.first.map(build)
    const rest = build(items.rest)
    if (rest === SAME && first.every(each => each === SAME)) return SAME
    return value => (Array.isArray(value) ? value.map((item, index) => (first[index] ?? rest)(item)) : value)
  }

  const branchOf = (branches: readonly unknown[]): Prune => {
    const options = branches.map(branch => ({
      accepts: isNode(branch) ? matcher(withDefinitions(branch, root)) : () => branch !== false,
      prune: build(branch),
    }))
    if (options.every(({ prune }) => prune === SAME)) return SAME
    return value =>
      richest(
        options.filter(({ accepts }) => accepts(value)).map(({ prune }) => prune(value)),
        value,
      )
  }

  const objectOf = (node: JsonSchema): Prune => {
    const properties = Object.entries((node.properties ?? {}) as JsonSchema).map(
      ([name, member]) => [name, build(member)] as const,
    )
    const patterns = Object.entries((node.patternProperties ?? {}) as JsonSchema).map(
      ([pattern, member]) => [new RegExp(pattern, 'u'), build(member)] as const,
    )
    const others = node.additionalProperties ? build(node.additionalProperties) : undefined
    const named = new Set(properties.map(([name]) => name))
    return value => {
      if (!isNode(value)) return value
      const result: Record<string, unknown> = {}
      for (const [name, prune] of properties) if (Object.hasOwn(value, name)) result[name] = prune(value[name])
      if (patterns.length === 0 && !others) return result
      for (const [name, member] of Object.entries(value)) {
        if (named.has(name)) continue
        const prune = patterns.find(([pattern]) => pattern.test(name))?.[1] ?? others
        if (prune) assign(result, name, prune(member))
      }
      return result
    }
  }

  return build(schema)
}

/** Keeps what either of two schemas names in a value that matches both. A schema that returns the value unchanged says nothing about it. */
function union(value: unknown, one: unknown, other: unknown): unknown {
  if (one === value || other === value) return one === value ? other : one
  if (Array.isArray(value) && Array.isArray(one) && Array.isArray(other))
    return value.map((item, index) => union(item, one[index], other[index]))
  if (!isNode(value) || !isNode(one) || !isNode(other)) return other
  const more = Object.entries(other).map(([name, member]): [string, unknown] => [
    name,
    Object.hasOwn(one, name) ? union(value[name], one[name], member) : member,
  ])
  return { ...one, ...Object.fromEntries(more) }
}

/** Of several branches that accept a value, picks the one that keeps most of it. */
function richest(results: readonly unknown[], value: unknown): unknown {
  if (results.length < 2) return results.length === 0 ? value : results[0]
  return results.reduce((best, result) => (sizeOf(result) > sizeOf(best) ? result : best))
}

function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, member) => sum + 1 + sizeOf(member), 0)
}

/** Lists the fields that pruning removed. */
export function unnamedIn(value: unknown, pruned: unknown, path = ''): Problems {
  if (value === pruned || typeof value !== 'object' || value === null) return []
  if (typeof pruned !== 'object' || pruned === null) return []
  const kept = pruned as Record<string, unknown>
  const entries = Object.entries(value)
  const unknown = entries.filter(([name]) => !Object.hasOwn(kept, name)).map(([name]) => name)
  const own = unknown.length === 0 ? [] : [{ path, message: unknownFields(unknown) }]
  const inner = entries.flatMap(([name, member]) =>
    Object.hasOwn(kept, name) ? unnamedIn(member, kept[name], pointerTo(path, name)) : [],
  )
  return [...own, ...inner].slice(0, MAX_DETAILS)
}
