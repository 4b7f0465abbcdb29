import type { AcceptsOf } from './accepts.ts'
import { hasMember } from './member.ts'
import { itemsOf, rootOf } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'

/** Copies a value that matches a schema, without the properties that the schema does not name. */
export type Prune = (value: unknown) => unknown

/** As if it were assigned, but for `__proto__`. */
const OWN = { enumerable: true, configurable: true, writable: true } as const
const OBJECT_KEYWORDS = ['properties', 'patternProperties', 'additionalProperties'] as const

/**
 * Prepares the dropping of unknown properties. By JSON Schema alone, so that it works for schemas of any origin, and into a
 * new value: what a handler returned may be cached, frozen, or hold functions. What the schema does not describe
 * is not looked into, however deep it is.
 * @param acceptsOf tells which of several alternatives a value belongs to
 */
export function compilePrune(schema: JsonSchema, acceptsOf: AcceptsOf): Prune {
  const known = new Map<JsonSchema, Prune>()
  const root = rootOf(schema)

  const build = (node: unknown): Prune => {
    if (!isNode(node)) return value => value
    const done = known.get(node)
    if (done) return done
    // A schema may contain itself: whoever asks for it while it is built gets a reference to what it will be.
    let made: Prune = value => value
    known.set(node, value => made(value))
    made = pruneOf(node)
    return made
  }

  const pruneOf = (node: JsonSchema): Prune => {
    if (typeof node.$ref === 'string') return build(root.resolve(node))
    const parts = [
      ...(Array.isArray(node.allOf) ? node.allOf.map(build) : []),
      ...(Array.isArray(node.anyOf ?? node.oneOf) ? [branchOf((node.anyOf ?? node.oneOf) as readonly unknown[])] : []),
      ...(OBJECT_KEYWORDS.some(keyword => isNode(node[keyword])) ? [objectOf(node)] : []),
    ]
    if (parts.length > 1) {
      return value => (isNode(value) ? Object.assign({}, ...parts.map(prune => prune(value))) : value)
    }
    if (parts[0]) return parts[0]
    const items = itemsOf(node)
    const first = items.first.map(build)
    const types: readonly unknown[] = [node.type].flat()
    if (!types.includes('array') && first.length === 0 && !isNode(items.rest)) return value => value
    const rest = build(items.rest)
    // Not by `map`: the copy is a plain list, without holes.
    return value => (Array.isArray(value) ? Array.from(value, (item, index) => (first[index] ?? rest)(item)) : value)
  }

  const branchOf = (branches: readonly unknown[]): Prune => {
    const options = branches.map(branch => ({
      accepts: isNode(branch) ? acceptsOf(branch, root) : () => branch !== false,
      prune: build(branch),
    }))
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
      for (const [name, prune] of properties) if (hasMember(value, name)) result[name] = prune(value[name])
      if (patterns.length === 0 && !others) return result
      for (const [name, member] of Object.entries(value)) {
        // A function has no place in JSON, and this one would decide what is written.
        if (named.has(name) || (name === 'toJSON' && typeof member === 'function')) continue
        const prune = patterns.find(([pattern]) => pattern.test(name))?.[1] ?? others
        if (prune) Object.defineProperty(result, name, { ...OWN, value: prune(member) })
      }
      return result
    }
  }

  return build(schema)
}

/** Of several branches that accept a value, the one that keeps most of it. */
function richest(results: readonly unknown[], value: unknown): unknown {
  const size = (result: unknown) => (isNode(result) ? Object.keys(result).length : 0)
  return results.reduce((best, result) => (size(result) > size(best) ? result : best), results[0] ?? value)
}
