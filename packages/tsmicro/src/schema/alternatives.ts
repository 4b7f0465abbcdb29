import { ANYTHING, type Root } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'
import { mentions } from './subschemas.ts'

/** Nodes that a value matches all at once, without references and alternatives of their own. */
export type Parts = readonly JsonSchema[]

/** Thrown for schemas that can only be compared with themselves. */
export class Incomparable extends Error {}

/** Which values to collect if they cannot be told exactly: `written` = more than match, `read` = fewer. */
export interface Side {
  readonly root: Root
  readonly of: 'written' | 'read'
}

/** More are not worth the time: schemas of people have few. */
const MOST = 64
const DEEPEST = 30
/** The most alternatives of an object that may match at the same time. */
const MOST_TOGETHER = 4

/** These name fields in ways that pruning does not follow, or are keywords that only work together with others. */
const INCOMPARABLE = ['unevaluatedProperties', 'unevaluatedItems', 'dependentSchemas', 'dependencies', 'if', 'then']
const OTHER_REFERENCES = ['else', '$dynamicRef', '$recursiveRef']

/** The alternatives of a value that matches all of these schemas. */
export function alternativesOf(nodes: readonly unknown[], side: Side, depth = 0): readonly Parts[] {
  const isCombined = nodes.length > 1
  return nodes.reduce<readonly Parts[]>((all, node) => product(all, ofNode(node, side, isCombined, depth)), [[]])
}

/** @param isCombined other schemas describe the same value, so that each names only a part of its fields */
function ofNode(given: unknown, side: Side, isCombined: boolean, depth: number): readonly Parts[] {
  if (given === false) return []
  if (!isNode(given)) return [[]]
  const target = side.root.resolve(given)
  if (depth > DEEPEST || ('$ref' in given && !isPlainReference(given, target))) throw new Incomparable()
  const { allOf, anyOf, oneOf, ...own } = target
  if ([...INCOMPARABLE, ...OTHER_REFERENCES].some(keyword => keyword in own) || (anyOf && oneOf))
    throw new Incomparable()
  const branches = anyOf ?? oneOf
  const together = isCombined || allOf !== undefined || (branches !== undefined && namesFields(own))
  let all: readonly Parts[] = [[own]]
  for (const part of listOf(allOf)) all = product(all, ofNode(part, side, true, depth + 1))
  if (branches === undefined) return all
  const options = listOf(branches).map(branch => ofNode(branch, side, together, depth + 1))
  const isRead = side.of === 'read'
  const mayOverlap = (isRead && oneOf !== undefined) || (together && options.flat(2).some(namesFields))
  if (!mayOverlap) return product(all, options.flat())
  if (isRead && mentions({ anyOf: branches }, ['default'])) throw new Incomparable()
  if (areDisjoint(options, side, depth)) return product(all, options.flat())
  // A value that matches several alternatives may have the fields of all of them.
  if (isRead || options.length > MOST_TOGETHER) throw new Incomparable()
  let some: readonly Parts[] = []
  for (const option of options) some = limited([...some, ...option, ...product(some, option)])
  return product(all, some)
}

/** Whether a reference says nothing else, and leads somewhere, also for TypeBox, which looks for the `$id` of those without a `#`. */
function isPlainReference(node: JsonSchema, target: JsonSchema): boolean {
  const isFound = target !== ANYTHING && !('$ref' in target)
  return (
    isFound && Object.keys(node).every(isAnnotation) && (String(node.$ref).startsWith('#') || target.$id === node.$ref)
  )
}

function product(all: readonly Parts[], more: readonly Parts[]): readonly Parts[] {
  return limited(all.flatMap(parts => more.map(others => [...parts, ...others])))
}

function limited(all: readonly Parts[]): readonly Parts[] {
  if (all.length > MOST) throw new Incomparable()
  return all
}

function areDisjoint(options: readonly (readonly Parts[])[], side: Side, depth: number): boolean {
  return options.every((one, index) =>
    options.slice(index + 1).every(other => product(one, other).every(parts => isEmpty(parts, side, depth))),
  )
}

/** Whether certainly no value matches; false when in doubt. */
export function isEmpty(parts: Parts, side: Side, depth = 0): boolean {
  const types = typesOf(parts)
  if (types.length === 0 || constantsOf(parts)?.length === 0) return true
  if (types.some(type => type !== 'object')) return false
  return requiredBy(parts).some(name => {
    try {
      const within = alternativesOf(nodesOfField(parts, name), side, depth + DEEPEST / 3)
      return within.every(each => isEmpty(each, side, depth + DEEPEST / 3))
    } catch (error) {
      if (error instanceof Incomparable) return false
      throw error
    }
  })
}

const TYPES: readonly string[] = ['null', 'boolean', 'object', 'array', 'string', 'number']

/** The types that a value may have. `number` includes `integer`. */
export function typesOf(parts: Parts): readonly string[] {
  return parts.reduce<readonly string[]>((types, { type }) => {
    if (type === undefined) return types
    const own = listOf(type)
    return types.flatMap(each => {
      if (own.includes(each) || (each === 'integer' && own.includes('number'))) return [each]
      return each === 'number' && own.includes('integer') ? ['integer'] : []
    })
  }, TYPES)
}

/** The values that `const` and `enum` allow; undefined if they do not limit it. */
export function constantsOf(parts: Parts): readonly unknown[] | undefined {
  const lists = parts.flatMap(part => [
    ...('const' in part ? [[part.const]] : []),
    ...(part.enum ? [listOf(part.enum)] : []),
  ])
  if (lists.length === 0) return undefined
  const types = typesOf(parts)
  return lists
    .reduce((all, list) => all.filter(value => list.some(each => canonical(each) === canonical(value))))
    .filter(value => types.includes(typeOf(value)) || (Number.isInteger(value) && types.includes('integer')))
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

/** What a field must match, if it is there. */
export function nodesOfField(parts: Parts, name: string): readonly unknown[] {
  return parts.flatMap(part => {
    const own = isNode(part.properties) && Object.hasOwn(part.properties, name) ? [part.properties[name]] : []
    const matching = patternsOf(part).flatMap(([pattern, node]) => (new RegExp(pattern, 'u').test(name) ? [node] : []))
    return own.length + matching.length > 0 ? [...own, ...matching] : othersOf(part)
  })
}

export function othersOf({ additionalProperties = true }: JsonSchema): readonly unknown[] {
  return additionalProperties === true ? [] : [additionalProperties]
}

export function patternsOf({ patternProperties }: JsonSchema): readonly (readonly [string, unknown])[] {
  return isNode(patternProperties) ? Object.entries(patternProperties) : []
}

export function namesOf(parts: Parts): readonly string[] {
  return [...new Set(parts.flatMap(({ properties }) => (isNode(properties) ? Object.keys(properties) : [])))]
}

export function requiredBy(parts: Parts): readonly string[] {
  return [...new Set(parts.flatMap(({ required }) => listOf(required) as string[]))]
}

/** Whether fields that nothing names one by one or by a pattern are kept as well. */
export function isOpen(parts: Parts, { of }: Side): boolean {
  const naming = parts.filter(namesFields)
  return (
    naming.length === 0 ||
    naming.some(({ additionalProperties: others, properties, patternProperties }) => {
      // Where several parts name fields, pruning takes a lone `true` for a part that says nothing.
      const counts = of === 'written' || naming.length === 1 || [others, properties, patternProperties].some(isNode)
      return Boolean(others) && counts
    })
  )
}

/** Whether a field is kept, and not dropped or refused as unknown. */
export function isNamed(parts: Parts, name: string, side: Side): boolean {
  if (isOpen(parts, side) || namesOf(parts).includes(name)) return true
  return parts.flatMap(patternsOf).some(([pattern]) => new RegExp(pattern, 'u').test(name))
}

function namesFields({ properties, patternProperties, additionalProperties }: JsonSchema): boolean {
  return isNode(properties) || isNode(patternProperties) || additionalProperties !== undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : [value].flat()
}

/** Keywords that say nothing about whether a value matches. */
export const isAnnotation = (keyword: string): boolean => ANNOTATIONS.has(keyword) || keyword.startsWith('x-')

const ANNOTATIONS: ReadonlySet<string> = new Set([
  ...['$ref', '$defs', 'definitions', '$id', '$schema', '$anchor', '$comment', 'title', 'description', 'default'],
  ...['examples', 'deprecated', 'readOnly', 'writeOnly', 'personal'],
])

/** JSON text that is the same for equal values. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    isNode(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  )
}
