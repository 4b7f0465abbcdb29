import { isOpaque, NoJsonError, noForm, UNDEFINED_ITEM, unnameable, unwritableIn } from './json-form.ts'
import { type Root, rootOf } from './references.ts'
import { assign, isNode, type JsonSchema } from './schema.ts'
import { branchesOf, itemsOf, partsOf } from './subschemas.ts'

type Snapshot = (value: unknown) => unknown

const SAME: Snapshot = value => value

/**
 * Compiles the copying of an outgoing value, so that exactly what is checked gets written. Objects and lists that the schema describes
 * become plain ones, and each property is read once, so that no getter, proxy, `toJSON` or hole in a list can change what is written.
 * Fields of a class instance are copied if they are its own or the schema names them, getters included. Values that the schema does not
 * describe are only searched for what JSON cannot carry.
 * @param leaf converts a value that the schema describes as neither an object nor a list
 * @throws {NoJsonError} from the function: for a value whose JSON would be something else, such as `{}` for a Map
 */
export function compileSnapshot(schema: JsonSchema, leaf: Snapshot = SAME): Snapshot {
  const root = rootOf(schema)
  const known = new Map<string, Snapshot>()
  const numbers = new Map<JsonSchema, number>()
  const numberOf = (node: JsonSchema) => {
    const number = numbers.get(node) ?? numbers.size
    numbers.set(node, number)
    return number
  }
  const undescribed: Snapshot = value => {
    const found = unwritableIn(value)
    if (found) throw new NoJsonError(found)
    return leaf(value)
  }

  /** Several nodes may describe one value together, or be its alternatives. */
  const build = (given: readonly unknown[]): Member => {
    const nodes = [...nodesOf(given, root)]
    const key = nodes.map(numberOf).sort().join()
    const mayBeUndefined = nodes.some(takesUndefined)
    const done = known.get(key)
    if (done) return { snapshot: done, mayBeUndefined }
    // A schema may contain itself: while it is being built, others get a reference to the finished result.
    let made: Snapshot = SAME
    known.set(key, value => made(value))
    const ofObject = nodes.some(isOfObjects) ? objectOf(nodes, build, leaf) : undefined
    const ofList = nodes.some(isOfLists) ? listOf(nodes, build) : undefined
    const other = nodes.some(isUndescribed) ? undescribed : leaf
    if (!ofObject && !ofList) made = other
    else
      made = value => {
        if (typeof value !== 'object' || value === null) return other(value)
        return ((Array.isArray(value) ? ofList : ofObject) ?? other)(value)
      }
    known.set(key, made)
    return { snapshot: made, mayBeUndefined }
  }
  return build([schema]).snapshot
}

/** How a field or an item is copied. */
interface Member {
  readonly snapshot: Snapshot
  /** Its check would accept undefined, which is not written. */
  readonly mayBeUndefined: boolean
}
type Build = (nodes: readonly unknown[]) => Member

/** Nodes with all their parts and alternatives. A schema may contain itself: each is visited once. */
function nodesOf(given: readonly unknown[], root: Root, found = new Set<JsonSchema>()): ReadonlySet<JsonSchema> {
  for (const each of given) {
    const node = isNode(each) && Object.keys(each).length > 1 ? each : root.resolve(each)
    if (found.has(node)) continue
    found.add(node)
    nodesOf([...('$ref' in node ? [root.resolve(node)] : []), ...partsOf(node), ...branchesOf(node)], root, found)
  }
  return found
}

function isOfObjects({ properties, ...others }: JsonSchema): boolean {
  return [properties, others.patternProperties, others.additionalProperties, others.unevaluatedProperties].some(isNode)
}

function isOfLists(node: JsonSchema): boolean {
  const { first, rest } = itemsOf(node)
  return [node.type].flat().includes('array') || first.length > 0 || isNode(rest)
}

/** `{}`, perhaps with a description. */
function isAnything(node: JsonSchema): boolean {
  return Object.keys(node).every(keyword => /^(title|description|default)$/.test(keyword))
}

/** Whether a node says nothing about the fields of an object that it allows. */
function isUndescribed(node: JsonSchema): boolean {
  return takesUndefined(node) || ([node.type].flat().includes('object') && !isOfObjects(node))
}

/** `{}` and the like: what a check without a type accepts. What a reference or alternatives say is asked of their nodes. */
function takesUndefined(node: JsonSchema): boolean {
  return !Object.keys(node).some(keyword => /^(type|const|enum|\$ref|(any|one|all)Of)$/.test(keyword))
}

function objectOf(nodes: readonly JsonSchema[], build: Build, leaf: Snapshot): Snapshot {
  const named = new Map<string, unknown[]>()
  for (const [name, member] of nodes.flatMap(node => Object.entries(node.properties ?? {})))
    named.set(name, [...(named.get(name) ?? []), member])
  const members = [...named].map(([name, each]) => ({ name, ...build(each) }))
  const nested = members.filter(({ snapshot, mayBeUndefined }) => snapshot !== SAME || mayBeUndefined)
  const open = nodes
    .flatMap(({ patternProperties, additionalProperties, unevaluatedProperties }) => [
      ...Object.values(patternProperties ?? {}),
      additionalProperties,
      unevaluatedProperties,
    ])
    .filter(each => isNode(each) || each === true)
  if (nodes.some(isAnything)) open.push(true)
  const others = open.length > 0 ? build(open).snapshot : SAME
  return value => {
    const copy: Record<string, unknown> = { ...(value as object) }
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) {
      if (isOpaque(value as object)) {
        const form = leaf(value)
        if (typeof form !== 'object') return form
        throw new NoJsonError(noForm(value))
      }
      // Properties that every object inherits do not count: `constructor` may well be a field's name.
      for (const { name } of members)
        if (!Object.hasOwn(copy, name) && name in (value as object) && !(name in Object.prototype))
          copy[name] = (value as Record<string, unknown>)[name]
    }
    if (open.length > 0 && Object.hasOwn(copy, '__proto__')) throw new NoJsonError(unnameable('__proto__'))
    // JSON has no functions, and this one would change what is written.
    if (typeof copy.toJSON === 'function') delete copy.toJSON
    let at = ''
    try {
      for (const { name, snapshot, mayBeUndefined } of nested) {
        if (!Object.hasOwn(copy, name)) continue
        at = name
        const member = snapshot(copy[name])
        // The check would pass, but nothing would be written.
        if (mayBeUndefined && member === undefined) delete copy[name]
        else copy[name] = member
      }
      if (others !== SAME)
        for (const [name, member] of Object.entries(copy)) {
          at = name
          if (!named.has(name)) assign(copy, name, others(member))
        }
    } catch (error) {
      throw NoJsonError.within(at, error)
    }
    return copy
  }
}

function listOf(nodes: readonly JsonSchema[], build: Build): Snapshot {
  const all = nodes.map(itemsOf)
  const places = Math.max(...all.map(({ first }) => first.length))
  const first = Array.from({ length: places }, (_, index) => build(all.map(each => each.first[index] ?? each.rest)))
  const rest = build(all.map(each => each.rest))
  const isPlain = [...first, rest].every(({ snapshot, mayBeUndefined }) => snapshot === SAME && !mayBeUndefined)
  return value => {
    // A spread makes a plain list without holes.
    const copy = [...(value as readonly unknown[])]
    if (isPlain) return copy
    let at = 0
    try {
      for (; at < copy.length; at++) {
        const { snapshot, mayBeUndefined } = first[at] ?? rest
        copy[at] = snapshot(copy[at])
        if (mayBeUndefined && copy[at] === undefined) throw new NoJsonError(UNDEFINED_ITEM)
      }
    } catch (error) {
      throw NoJsonError.within(String(at), error)
    }
    return copy
  }
}
