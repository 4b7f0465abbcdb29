import { isNode, type JsonSchema } from './schema.ts'
import { branchesOf, mapSubschemas, partsOf, withKeywords } from './subschemas.ts'

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

/** The references of a JSON Schema to its definitions, by name or by position. */
const DEFINITION = /^#\/(\$defs|definitions)\/([^/]+)$/

/**
 * Finds definitions by the names that JSON Schema (`#/$defs/Node`, an `$id`) and TypeBox (`Node`) use, and other parts of the schema by
 * their position (`#/properties/a`). TypeBox's `Cyclic` contains its own definitions, and may be anywhere in a schema.
 */
export function rootOf(schema: JsonSchema): Root {
  const scopes = new WeakMap<JsonSchema, Definitions>()
  const named = new Map<string, JsonSchema>()
  addScopes(schema, {}, scopes, named)
  const own = scopes.get(schema) ?? {}
  const definitionsOf = (node: JsonSchema) => scopes.get(node) ?? own
  const target = (node: JsonSchema, ref: string) => {
    const definitions = definitionsOf(node)
    const name = decoded(DEFINITION.exec(ref)?.[2] ?? ref)
    return Object.hasOwn(definitions, name) ? definitions[name] : (named.get(ref) ?? partAt(schema, ref))
  }
  return {
    resolve: node => {
      let found = node
      // References may form a cycle.
      for (let steps = 0; isNode(found) && typeof found.$ref === 'string' && steps < 20; steps++)
        found = target(found, found.$ref)
      return isNode(found) ? found : ANYTHING
    },
    definitionsOf,
  }
}

/** Whether a node refers to something that does not exist. */
export function isDangling(node: JsonSchema, root: Root): boolean {
  return '$ref' in node && root.resolve(node) === ANYTHING
}

/** One token of a JSON pointer in a reference. */
function decoded(token: string): string {
  const text = token.includes('%') ? decodeURIComponent(token) : token
  return text.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** The part of a schema at the position that a reference names: `#/properties/a`. */
function partAt(schema: JsonSchema, ref: string): unknown {
  const [start, ...tokens] = ref.split('/').map(decoded)
  if (start !== '#') return undefined
  return tokens.reduce<unknown>(
    (part, token) =>
      typeof part === 'object' && part !== null && Object.hasOwn(part, token) ? (part as JsonSchema)[token] : undefined,
    schema,
  )
}

/**
 * A node that can be checked by itself, with the definitions that its references name.
 * @param place the node whose definitions apply; the original if `node` is a copy
 */
export function withDefinitions(node: JsonSchema, root: Root, place: JsonSchema = node): JsonSchema {
  return withKeywords(node, { $defs: { ...root.definitionsOf(place), ...(node.$defs as object) } })
}

const PART = '__part'

/**
 * Gives the parts of a schema that are referred to by position (zod's recursive schemas refer to `#`) a definition to refer to instead,
 * because in a part that is checked by itself, a position would be another.
 */
export function withNamedParts(schema: JsonSchema): JsonSchema {
  const names = new Map<string, string>()
  const renamed = (node: JsonSchema): JsonSchema => {
    const copy = mapSubschemas(node, renamed)
    const { $ref } = node
    if (typeof $ref !== 'string' || !/^#(\/|$)/.test($ref) || DEFINITION.test($ref)) return copy
    const name = names.get($ref) ?? PART + names.size
    names.set($ref, name)
    return withKeywords(copy, { $ref: `#/$defs/${name}` })
  }
  const whole = renamed(schema)
  if (names.size === 0) return schema
  const parts = [...names].map(([ref, name]) => [name, partAt(whole, ref)])
  return withKeywords(whole, { $defs: { ...(whole.$defs as object), ...Object.fromEntries(parts) } })
}

/** Records for each node which definitions its references may name, and the nodes that have an `$id` or `$anchor`. */
function addScopes(
  node: unknown,
  outer: Definitions,
  scopes: WeakMap<JsonSchema, Definitions>,
  named: Map<string, JsonSchema>,
): void {
  if (Array.isArray(node)) for (const member of node) addScopes(member, outer, scopes, named)
  if (!isNode(node) || scopes.has(node)) return
  const inner =
    node.$defs || node.definitions ? { ...outer, ...(node.definitions as object), ...(node.$defs as object) } : outer
  scopes.set(node, inner)
  if (typeof node.$id === 'string') named.set(node.$id, node)
  if (typeof node.$anchor === 'string') named.set(`#${node.$anchor}`, node)
  for (const member of Object.values(node)) addScopes(member, inner, scopes, named)
}

/**
 * The schemas of an object's properties. If several parts of a schema describe one property, their schemas are joined by `allOf`.
 */
export function propertiesOf(schema: JsonSchema, root: Root = rootOf(schema)): Record<string, JsonSchema> {
  const node = root.resolve(schema)
  const parts = partsOf(node).map(part => propertiesOf(part, root))
  const found = new Map<string, JsonSchema>()
  for (const [name, member] of [...parts, node.properties ?? {}].flatMap(part => Object.entries(part))) {
    const other = found.get(name)
    found.set(name, other ? { allOf: [other, member] } : (member as JsonSchema))
  }
  return Object.fromEntries(found)
}

/** Whether objects of a schema may have a field with this name: some part names it, or allows any name. */
export function mayHaveField(schema: JsonSchema, name: string, root: Root = rootOf(schema)): boolean {
  const node = root.resolve(schema)
  const { properties, type, additionalProperties, patternProperties } = node
  if (isNode(properties) && Object.hasOwn(properties, name)) return true
  if (isNode(additionalProperties) || additionalProperties === true || isNode(patternProperties)) return true
  const parts = [...branchesOf(node), ...partsOf(node)]
  if (parts.length > 0) return parts.some(part => mayHaveField(part, name, root))
  // It says nothing about its fields.
  return properties === undefined && additionalProperties === undefined && (type === undefined || type === 'object')
}

/**
 * Whether a node applies itself to the value that it describes, as in `anyOf: [{ $ref: '#' }, …]`: checking would never end.
 * @param above the nodes that are being followed
 */
export function isEndless(node: JsonSchema, root: Root, above: readonly JsonSchema[] = []): boolean {
  const target = root.resolve(node)
  if (above.includes(target) || typeof target.$ref === 'string') return true
  const tested = isNode(target.not) ? [target.not] : []
  return [...branchesOf(target), ...partsOf(target), ...tested].some(each => isEndless(each, root, [...above, target]))
}
