import { describeSchema } from './describe.ts'
import type { Check } from './problems.ts'
import { propertiesOf, type Root, rootOf } from './references.ts'
import { isNode, isStandardSchema, type JsonSchema, type Schema } from './schema.ts'
import { branchesOf, itemsOf } from './subschemas.ts'

const TEXT_RULES = ['pattern', 'format', 'minLength', 'maxLength']

/** What a value may be, across all alternatives of a schema. */
export class Kinds {
  readonly constants: unknown[] = []
  readonly lists: JsonSchema[] = []
  readonly types = new Set<unknown>()
  /** Some alternative is an unrestricted text: `"5"` may be a name. */
  freeText = false
  /** Some alternative may be anything. */
  anything = false

  constructor(node: JsonSchema, root: Root) {
    this.#add(node, root, new Set())
  }

  /** @param seen a schema may contain itself */
  #add(given: JsonSchema, root: Root, seen: Set<JsonSchema>): void {
    const node = root.resolve(given)
    if (seen.has(node)) return
    seen.add(node)
    const all = (Array.isArray(node.allOf) ? node.allOf : []).map(root.resolve)
    // Parts without a type only restrict the others.
    const typed = all.filter(part => part.type !== undefined || 'const' in part || 'enum' in part || hasParts(part))
    const members = [...branchesOf(node), ...(typed.length > 0 ? typed : all)]
    if (isNode(node.not) && Object.keys(node.not).length === 0) return
    if (members.length > 0) for (const member of members) this.#add(member, root, seen)
    else if ('const' in node) this.constants.push(node.const)
    else if (Array.isArray(node.enum)) this.constants.push(...node.enum)
    else if (node.type !== undefined) for (const type of [node.type].flat()) this.#addType(type, node)
    else if (isNode(node.properties)) this.#addType('object', node)
    else [this.anything, this.freeText] = [true, true]
  }

  #addType(type: unknown, node: JsonSchema): void {
    this.types.add(type)
    if (type === 'array') this.lists.push(node)
    if (type === 'string' && !TEXT_RULES.some(rule => node[rule] !== undefined)) this.freeText = true
  }

  /** Items of all lists. */
  get items(): readonly JsonSchema[] {
    return this.lists.flatMap(list => {
      const { first, rest } = itemsOf(list)
      return [...first, rest].filter(isNode)
    })
  }

  get takesNull(): boolean {
    return this.types.has('null') || this.constants.includes(null)
  }
}

function hasParts(node: JsonSchema): boolean {
  return isNode(node.properties) || Array.isArray(node.allOf) || branchesOf(node).length > 0
}

/** Collects what the values of a schema may be. */
function kindsOf(schema: Schema): Kinds {
  const described = describeSchema(schema)
  return new Kinds(described, rootOf(described))
}

/** Follows the name of an empty list in a query: `?tags[]=`. */
export const EMPTY_LIST = '[]'

/**
 * Makes a check take an absent value for an object without fields, or for nothing at all if the schema accepts only that. Problems are
 * those of the object.
 */
export function withAbsent(schema: Schema, check: Check): Check {
  const { types, anything } = kindsOf(schema)
  if (!anything && !types.has('object')) return check
  // No JSON Schema asks for an absent value.
  if (!isStandardSchema(schema)) return value => check(value === undefined ? {} : value)
  return async value => {
    if (value !== undefined) return check(value)
    const [empty, nothing] = [await check({}), await check(undefined)]
    return empty.problems && !nothing.problems ? nothing : empty
  }
}

/** The schemas of a field, one for each alternative that names it. */
export function fieldNodes(schema: JsonSchema, field: string, root: Root): readonly JsonSchema[] {
  const node = root.resolve(schema)
  const named = propertiesOf(node, root)
  const inBranches = branchesOf(node).flatMap(branch => fieldNodes(branch, field, root))
  if (Object.hasOwn(named, field)) return [named[field] as JsonSchema, ...inBranches]
  const pattern = Object.entries(isNode(node.patternProperties) ? node.patternProperties : {}).find(([each]) =>
    new RegExp(each, 'u').test(field),
  )
  const other = pattern?.[1] ?? node.additionalProperties
  return isNode(other) ? [other, ...inBranches] : inBranches
}

/** The names of an object's fields in all its alternatives; contains '' if further names are allowed. */
export function fieldNames(schema: JsonSchema, root: Root): readonly string[] {
  const node = root.resolve(schema)
  const inBranches = branchesOf(node).flatMap(branch => fieldNames(branch, root))
  const open = [node.patternProperties, node.additionalProperties].some(isNode) ? [''] : []
  return [...new Set([...Object.keys(propertiesOf(node, root)), ...open, ...inBranches])]
}

/** Whether an answer may be null as well as undefined, so that one cannot stand for the other. */
export function takesNull(schema: Schema): boolean {
  const kinds = kindsOf(schema)
  return kinds.anything || kinds.takesNull
}

const WITHOUT_NUMBERS: readonly unknown[] = ['string', 'boolean', 'null']

/**
 * Whether values of a schema may contain numbers; when in doubt, true. Computed once, at the start: without numbers, JSON texts need not be
 * searched for numbers that would be rounded.
 */
export function mayHaveNumbers(schema: Schema): boolean {
  const described = describeSchema(schema)
  return !isWithoutNumbers(described, rootOf(described), new Set())
}

/** @param seen nodes already being visited: a schema may contain itself */
function isWithoutNumbers(given: unknown, root: Root, seen: Set<JsonSchema>): boolean {
  if (given === false) return true
  const node = root.resolve(given)
  if (seen.has(node)) return true
  seen.add(node)
  const without = (inner: unknown) => isWithoutNumbers(inner, root, seen)
  const parts = [...branchesOf(node), ...(Array.isArray(node.allOf) ? node.allOf : [])]
  if (!parts.every(without)) return false
  const constants = 'const' in node ? [node.const] : node.enum
  if (Array.isArray(constants))
    return constants.every(each => each === null || ['string', 'boolean'].includes(typeof each))
  if (node.type === undefined) return parts.length > 0 && !isNode(node.properties)
  return [node.type].flat().every(type => {
    if (type === 'object') return fieldsOf(node).every(without)
    if (type !== 'array') return WITHOUT_NUMBERS.includes(type)
    const { first, rest } = itemsOf(node)
    return [...first, first.length === 0 ? rest : (rest ?? false)].every(without)
  })
}

/** The schemas of all fields. Fields that are not named are refused or dropped, unless the schema describes them. */
function fieldsOf({ properties, patternProperties, additionalProperties = false }: JsonSchema): readonly unknown[] {
  const named = [properties, patternProperties].filter(isNode).flatMap(members => Object.values(members))
  return [...named, additionalProperties]
}
