import { branchesOf, itemsOf, type Root, rootOf } from './references.ts'
import { assign, isNode, type JsonSchema } from './schema.ts'

type Snapshot = (value: unknown) => unknown

const SAME: Snapshot = value => value

/**
 * Compiles the copying of an outgoing value, so that exactly what is checked gets written. Objects and lists that the schema describes
 * become plain ones, and each property is read once, so that no getter, proxy, `toJSON` or hole in a list can change what is written.
 * Fields of a class instance are copied if they are its own or the schema names them, getters included. Values that the schema does not
 * describe are not inspected.
 */
export function compileSnapshot(schema: JsonSchema): Snapshot {
  const root = rootOf(schema)
  const known = new Map<string, Snapshot>()
  const numbers = new Map<JsonSchema, number>()
  const numberOf = (node: JsonSchema) => {
    const number = numbers.get(node) ?? numbers.size
    numbers.set(node, number)
    return number
  }

  /** Several nodes may describe one value together, or be its alternatives. */
  const build = (given: readonly unknown[]): Snapshot => {
    const nodes = [...partsOf(given, root)]
    const key = nodes.map(numberOf).sort().join()
    const done = known.get(key)
    if (done) return done
    // A schema may contain itself: while it is being built, others get a reference to the finished result.
    let made: Snapshot = SAME
    known.set(key, value => made(value))
    const ofObject = nodes.some(isOfObjects) ? objectOf(nodes, build) : undefined
    const ofList = nodes.some(isOfLists) ? listOf(nodes, build) : undefined
    if (ofObject || ofList)
      made = value => {
        if (typeof value !== 'object' || value === null) return value
        return ((Array.isArray(value) ? ofList : ofObject) ?? SAME)(value)
      }
    known.set(key, made)
    return made
  }
  return build([schema])
}

/** Nodes with all parts of their `allOf`, and their alternatives. A schema may contain itself: each is visited once. */
function partsOf(given: readonly unknown[], root: Root, parts = new Set<JsonSchema>()): ReadonlySet<JsonSchema> {
  for (const node of given.map(root.resolve)) {
    if (parts.has(node)) continue
    parts.add(node)
    partsOf([...(Array.isArray(node.allOf) ? node.allOf : []), ...branchesOf(node)], root, parts)
  }
  return parts
}

function isOfObjects({ properties, patternProperties, additionalProperties }: JsonSchema): boolean {
  return [properties, patternProperties, additionalProperties].some(isNode)
}

function isOfLists(node: JsonSchema): boolean {
  const { first, rest } = itemsOf(node)
  return [node.type].flat().includes('array') || first.length > 0 || isNode(rest)
}

function objectOf(nodes: readonly JsonSchema[], build: (nodes: readonly unknown[]) => Snapshot): Snapshot {
  const named = new Map<string, unknown[]>()
  for (const [name, member] of nodes.flatMap(node => Object.entries(node.properties ?? {})))
    named.set(name, [...(named.get(name) ?? []), member])
  const members = [...named].map(([name, each]) => ({ name, snapshot: build(each), isAny: each.every(isAny) }))
  const nested = members.filter(({ snapshot, isAny }) => snapshot !== SAME || isAny)
  const open = nodes
    .flatMap(({ patternProperties, additionalProperties }) => [
      ...Object.values(patternProperties ?? {}),
      additionalProperties,
    ])
    .filter(isNode)
  const others = open.length > 0 ? build(open) : SAME
  return value => {
    const copy: Record<string, unknown> = { ...(value as object) }
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null)
      // Properties that every object inherits do not count: `constructor` may well be a field's name.
      for (const { name } of members)
        if (!Object.hasOwn(copy, name) && name in (value as object) && !(name in Object.prototype))
          copy[name] = (value as Record<string, unknown>)[name]
    // JSON has no functions, and this one would change what is written.
    if (typeof copy.toJSON === 'function') delete copy.toJSON
    for (const { name, snapshot, isAny } of nested) {
      if (!Object.hasOwn(copy, name)) continue
      const member = snapshot(copy[name])
      // The check would pass, but nothing would be written.
      if (isAny && isLeftOut(member)) delete copy[name]
      else copy[name] = member
    }
    if (others !== SAME)
      for (const [name, member] of Object.entries(copy)) if (!named.has(name)) assign(copy, name, others(member))
    return copy
  }
}

function listOf(nodes: readonly JsonSchema[], build: (nodes: readonly unknown[]) => Snapshot): Snapshot {
  const all = nodes.map(itemsOf)
  const places = Math.max(...all.map(({ first }) => first.length))
  const first = Array.from({ length: places }, (_, index) => build(all.map(each => each.first[index] ?? each.rest)))
  const rest = build(all.map(each => each.rest))
  const items = first.every(each => each === SAME) && rest === SAME ? undefined : ([first, rest] as const)
  // A spread makes a plain list without holes.
  return value => {
    const copy = [...(value as readonly unknown[])]
    return items ? copy.map((item, index) => (first[index] ?? rest)(item)) : copy
  }
}

/** `{}` and the like: anything matches. */
function isAny(node: unknown): boolean {
  return (
    isNode(node) && !Object.keys(node).some(keyword => /^(type|const|enum|\$ref|not|(any|one|all)Of)$/.test(keyword))
  )
}

function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol'
}
