import { isNode, type JsonSchema } from './schema.ts'

/** Builds the check of a JSON Schema. Services compile it to code, browsers interpret it. */
export type Matcher = (schema: JsonSchema) => (value: unknown) => boolean

/** A JSON Schema with its references resolved. */
export interface Root {
  /** The node itself, or the node that it refers to; `{}` for anything that is not a schema. */
  readonly resolve: (node: unknown) => JsonSchema
  /** The definitions that references within a node may name. */
  readonly definitionsOf: (node: JsonSchema) => Definitions
}

/** What a reference that leads nowhere is resolved to. One object for all, so that whoever visits each node once visits it once. */
export const ANYTHING: JsonSchema = {}

type Definitions = Readonly<Record<string, unknown>>

/**
 * Finds definitions by the names that JSON Schema (`#/$defs/Node`) and TypeBox (`Node`) use. TypeBox's `Cyclic` contains its own
 * definitions, and may be anywhere in a schema.
 */
export function rootOf(schema: JsonSchema): Root {
  const scopes = new WeakMap<JsonSchema, Definitions>()
  addScopes(schema, {}, scopes)
  const own = scopes.get(schema) ?? {}
  const definitionsOf = (node: JsonSchema) => scopes.get(node) ?? own
  return {
    resolve: node => {
      let found = node
      // References may form a cycle.
      for (let steps = 0; isNode(found) && typeof found.$ref === 'string' && steps < 20; steps++)
        found = found.$ref === '#' ? schema : definitionsOf(found)[found.$ref.replace(/^#\/(\$defs|definitions)\//, '')]
      return isNode(found) ? found : ANYTHING
    },
    definitionsOf,
  }
}

/**
 * A node that can be checked by itself, with the definitions that its references name.
 * @param place the node whose definitions apply; the original if `node` is a copy
 */
export function withDefinitions(node: JsonSchema, root: Root, place: JsonSchema = node): JsonSchema {
  return withKeywords(node, { $defs: { ...root.definitionsOf(place), ...(node.$defs as object) } })
}

const SELF = '__whole'

/**
 * Gives a schema that refers to itself as `#` (zod's recursive schemas do) a definition to refer to instead, because in a part that is
 * checked by itself, `#` would be that part.
 */
export function withNamedSelf(schema: JsonSchema): JsonSchema {
  let found = false
  const renamed = (node: JsonSchema): JsonSchema => {
    const copy = mapSubschemas(node, renamed)
    if (node.$ref !== '#') return copy
    found = true
    return withKeywords(copy, { $ref: `#/$defs/${SELF}` })
  }
  const whole = renamed(schema)
  return found ? withKeywords(whole, { $defs: { ...(whole.$defs as object), [SELF]: whole } }) : schema
}

/** Copies a node with other values for some keywords. `Type.Refine` keeps its check in a hidden property, which a spread would lose. */
export function withKeywords(node: JsonSchema, keywords: JsonSchema): JsonSchema {
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(node), ...Object.getOwnPropertyDescriptors(keywords) },
  )
}

/** Records for each node which definitions its references may name. */
function addScopes(node: unknown, outer: Definitions, scopes: WeakMap<JsonSchema, Definitions>): void {
  if (Array.isArray(node)) for (const member of node) addScopes(member, outer, scopes)
  if (!isNode(node) || scopes.has(node)) return
  const inner =
    node.$defs || node.definitions ? { ...outer, ...(node.definitions as object), ...(node.$defs as object) } : outer
  scopes.set(node, inner)
  for (const member of Object.values(node)) addScopes(member, inner, scopes)
}

/**
 * The schemas of an object's properties. If several parts of an `allOf` describe one property, their schemas are joined by `allOf`, too.
 */
export function propertiesOf(schema: JsonSchema, root: Root = rootOf(schema)): Record<string, JsonSchema> {
  const node = root.resolve(schema)
  const parts = Array.isArray(node.allOf) ? node.allOf.map(part => propertiesOf(part as JsonSchema, root)) : []
  const found = new Map<string, JsonSchema>()
  for (const [name, member] of [...parts, node.properties ?? {}].flatMap(part => Object.entries(part))) {
    const other = found.get(name)
    found.set(name, other ? { allOf: [other, member] } : (member as JsonSchema))
  }
  return Object.fromEntries(found)
}

/** The alternatives of `anyOf` or `oneOf`. */
export function branchesOf(node: JsonSchema): readonly JsonSchema[] {
  const branches = node.anyOf ?? node.oneOf
  return Array.isArray(branches) ? branches.filter(isNode) : []
}

/** The schemas of a list's items: the first ones by position (TypeBox writes these as `items`), and all others. */
export function itemsOf(node: JsonSchema): { readonly first: readonly unknown[]; readonly rest: unknown } {
  if (Array.isArray(node.items)) return { first: node.items, rest: node.additionalItems }
  return { first: Array.isArray(node.prefixItems) ? node.prefixItems : [], rest: node.items }
}

/** Whether objects of a schema may have a field with this name: some part names it, or allows any name. */
export function mayHaveField(schema: JsonSchema, name: string, root: Root = rootOf(schema)): boolean {
  const node = root.resolve(schema)
  const { properties, type, allOf, additionalProperties, patternProperties } = node
  if (isNode(properties) && Object.hasOwn(properties, name)) return true
  if (isNode(additionalProperties) || additionalProperties === true || isNode(patternProperties)) return true
  const parts = [...branchesOf(node), ...(Array.isArray(allOf) ? (allOf as JsonSchema[]) : [])]
  if (parts.length > 0) return parts.some(part => mayHaveField(part, name, root))
  // It says nothing about its fields.
  return properties === undefined && additionalProperties === undefined && (type === undefined || type === 'object')
}

/** Keywords whose values are data, not schemas. */
const VALUES: readonly string[] = ['const', 'enum', 'default', 'examples']
/** Keywords whose members are named by the schema's author. */
const MAPS: readonly string[] = ['properties', 'patternProperties', '$defs', 'definitions']
/** Keywords that only test a value and do not describe it. */
export const TESTS: readonly string[] = ['not', 'if', 'contains']

/** Copies a node with its subschemas replaced. `name` is the name of a property, a pattern or a definition. */
export function mapSubschemas(
  node: JsonSchema,
  change: (subschema: JsonSchema, keyword: string, name?: string) => unknown,
): JsonSchema {
  const members = Object.entries(node).map(([keyword, member]): [string, unknown] => {
    const changed = (each: unknown, name?: string) => (isNode(each) ? change(each, keyword, name) : each)
    if (VALUES.includes(keyword)) return [keyword, member]
    if (Array.isArray(member)) return [keyword, member.map(each => changed(each))]
    if (!MAPS.includes(keyword) || !isNode(member)) return [keyword, changed(member)]
    return [keyword, Object.fromEntries(Object.entries(member).map(([name, each]) => [name, changed(each, name)]))]
  })
  return withKeywords(node, Object.fromEntries(members))
}
