import { MAX_DETAILS, type Problems, pointerTo, unknownFields } from './problems.ts'
import { type Matcher, rootOf, withDefinitions } from './references.ts'
import { assign, isNode, type JsonSchema } from './schema.ts'
import { dependentsOf, itemsOf } from './subschemas.ts'

/** Copies a value that matches a schema, leaving out properties that the schema does not name. */
export type Prune = (value: unknown) => unknown

/** For a schema that says nothing about properties. */
const SAME: Prune = value => value
const OBJECT_KEYWORDS = ['properties', 'patternProperties', 'additionalProperties'] as const
/** Marks alternatives of which only one may match. */
export const EXCLUSIVE = 'x-exclusive'
/** Keywords that describe an object together with alternatives beside them. */
const PARTS = [...OBJECT_KEYWORDS, '$ref', 'allOf', 'oneOf', 'if', 'dependentSchemas', 'dependencies', EXCLUSIVE]

/**
 * Compiles the removal of unknown properties. It uses only JSON Schema, so it works for schemas of any library. It copies, because a
 * handler may have returned a cached or frozen object. Values that the schema does not describe are kept unchanged, at any depth.
 * @param matcher decides which of several alternatives a value matches, and which conditions it meets
 */
export function compilePrune(schema: JsonSchema, matcher: Matcher): Prune {
  const known = { whole: new Map<JsonSchema, Prune>(), part: new Map<JsonSchema, Prune>() }
  const root = rootOf(schema)
  const test = (node: unknown) => (isNode(node) ? matcher(withDefinitions(node, root)) : () => node !== false)

  /** @param scope whether other schemas describe the same value as well */
  const build = (node: unknown, scope: 'whole' | 'part' = 'whole'): Prune => {
    if (!isNode(node)) return SAME
    const done = known[scope].get(node)
    if (done) return done
    // A schema may contain itself: while it is being built, others get a reference to the finished result.
    let made: Prune = SAME
    known[scope].set(node, value => made(value))
    made = pruneOf(node, scope)
    known[scope].set(node, made)
    return made
  }

  const pruneOf = (node: JsonSchema, scope: 'whole' | 'part'): Prune => {
    const shared = scope === 'part' || PARTS.some(keyword => keyword in node)
    const parts = [
      ...('$ref' in node ? [build(root.resolve(node), scope)] : []),
      ...(Array.isArray(node.allOf) ? node.allOf.map(each => build(each, 'part')) : []),
      // Several alternatives of `oneOf` together are invalid, which must not be hidden by dropping what one of them names.
      ...(Array.isArray(node.oneOf) ? [branchOf(node.oneOf, true)] : []),
      ...(Array.isArray(node.anyOf) ? [branchOf(node.anyOf, shared)] : []),
      ...conditionsOf(node),
      ...(OBJECT_KEYWORDS.some(keyword => isNode(node[keyword])) ? [objectOf(node)] : []),
      listOf(node),
    ]
    return withRest(joined(parts), node.unevaluatedProperties)
  }

  /** Keeps fields that no part names, but `unevaluatedProperties` allows. */
  const withRest = (named: Prune, rest: unknown): Prune => {
    if (!rest) return named
    const prune = build(rest)
    return value => {
      const kept = named(value)
      if (kept === value || !isNode(value) || !isNode(kept)) return kept
      const others = Object.entries(value).filter(([name]) => !Object.hasOwn(kept, name))
      return { ...kept, ...Object.fromEntries(others.map(([name, member]) => [name, prune(member)])) }
    }
  }

  const listOf = (node: JsonSchema): Prune => {
    const items = itemsOf(node)
    const first = items.first.map(each => build(each))
    const rest = build(items.rest)
    if (rest === SAME && first.every(each => each === SAME)) return SAME
    return value => (Array.isArray(value) ? value.map((item, index) => (first[index] ?? rest)(item)) : value)
  }

  /** @param shared keeps what any matching branch names, instead of choosing one */
  const branchOf = (branches: readonly unknown[], shared: boolean): Prune => {
    const options = branches.map(branch => ({ accepts: test(branch), prune: build(branch, shared ? 'part' : 'whole') }))
    if (options.every(({ prune }) => prune === SAME)) return SAME
    return value => {
      const kept = (fits: (option: (typeof options)[number]) => boolean) =>
        options.filter(fits).map(({ prune }) => prune(value))
      const matching = kept(({ accepts }) => accepts(value))
      // A branch may itself refuse unknown fields.
      const found = matching.length > 0 ? matching : kept(({ accepts, prune }) => accepts(prune(value)))
      if (found.length === 0) return value
      return shared ? found.reduce((one, other) => union(value, one, other)) : richest(found)
    }
  }

  const conditionsOf = (node: JsonSchema): readonly Prune[] => {
    const parts = dependentsOf(node).map(([name, member]): Prune => {
      const prune = build(member, 'part')
      return value => (isNode(value) && Object.hasOwn(value, name) ? prune(value) : value)
    })
    if (node.if === undefined) return parts
    const isMet = test(node.if)
    const met = joined([build(node.if, 'part'), build(node.then, 'part')])
    const otherwise = build(node.else, 'part')
    return [...parts, value => (isMet(value) ? met : otherwise)(value)]
  }

  const objectOf = (node: JsonSchema): Prune => {
    const properties = Object.entries((node.properties ?? {}) as JsonSchema).map(
      ([name, member]) => [name, build(member)] as const,
    )
    const patterns = Object.entries((node.patternProperties ?? {}) as JsonSchema).map(
      ([pattern, member]) => [new RegExp(pattern, 'u'), build(member)] as const,
    )
    const others = node.additionalProperties ? build(node.additionalProperties) : undefined
    const named = new Map(properties)
    return value => {
      if (!isNode(value)) return value
      const result: Record<string, unknown> = {}
      for (const [name, prune] of properties) if (Object.hasOwn(value, name)) result[name] = prune(value[name])
      if (patterns.length === 0 && !others) return result
      for (const [name, member] of Object.entries(value)) {
        const own = named.get(name)
        const matching = patterns.length === 0 ? [] : patterns.filter(([pattern]) => pattern.test(name))
        if (own && matching.length === 0) continue
        const [prune = others, ...more] = [...(own ? [own] : []), ...matching.map(([, each]) => each)]
        if (prune) assign(result, name, joined([prune, ...more])(member))
      }
      return result
    }
  }

  return build(schema)
}

/** Keeps what any of several schemas names in a value that matches them all. */
function joined(prunes: readonly Prune[]): Prune {
  const [first = SAME, ...others] = prunes.filter(prune => prune !== SAME)
  return others.length === 0
    ? first
    : value => others.reduce((kept, prune) => union(value, kept, prune(value)), first(value))
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
function richest(results: readonly unknown[]): unknown {
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
