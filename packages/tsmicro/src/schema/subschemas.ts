import { isNode, type JsonSchema } from './schema.ts'

/** Keywords whose value is a schema or a list of schemas. */
export const SCHEMAS: readonly string[] = [
  ...['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'items', 'additionalItems', 'prefixItems', 'contains'],
  ...['additionalProperties', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties'],
]
/** Keywords whose members are schemas with a name. */
const MAPS: readonly string[] = [
  ...['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies'],
]
/** Keywords that only test a value and do not describe it. */
export const TESTS: readonly string[] = ['not', 'if', 'contains']

/** Copies a node with its subschemas replaced. `name` is the name of a property, a pattern or a definition. */
export function mapSubschemas(
  node: JsonSchema,
  change: (subschema: JsonSchema, keyword: string, name?: string) => unknown,
): JsonSchema {
  const members = Object.entries(node).map(([keyword, member]): [string, unknown] => {
    const changed = (each: unknown, name?: string) => (isNode(each) ? change(each, keyword, name) : each)
    if (MAPS.includes(keyword) && isNode(member))
      return [keyword, Object.fromEntries(Object.entries(member).map(([name, each]) => [name, changed(each, name)]))]
    if (!SCHEMAS.includes(keyword)) return [keyword, member]
    return [keyword, Array.isArray(member) ? member.map(each => changed(each)) : changed(member)]
  })
  return withKeywords(node, Object.fromEntries(members))
}

/** Copies a node with other values for some keywords. `Type.Refine` keeps its check in a hidden property, which a spread would lose. */
export function withKeywords(node: JsonSchema, keywords: JsonSchema): JsonSchema {
  return Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(node), ...Object.getOwnPropertyDescriptors(keywords) },
  )
}

/** The schemas of a keyword that has a list of them. */
function listed(schemas: unknown): readonly JsonSchema[] {
  return Array.isArray(schemas) ? schemas.filter(isNode) : []
}

/** The schemas that each apply to a whole value if it has a certain field. */
export function dependentsOf({ dependentSchemas, dependencies }: JsonSchema): readonly [string, JsonSchema][] {
  const members = [dependentSchemas, dependencies].filter(isNode).flatMap(Object.entries<unknown>)
  return members.filter((entry): entry is [string, JsonSchema] => isNode(entry[1]))
}

/** The schemas that apply to the same value as a node, always or on a condition, without being alternatives. */
export function partsOf(node: JsonSchema): readonly JsonSchema[] {
  const conditional = [node.if, node.then, node.else].filter(isNode)
  return [...listed(node.allOf), ...conditional, ...dependentsOf(node).map(([, member]) => member)]
}

/** The alternatives of `anyOf` and `oneOf`. */
export function branchesOf({ anyOf, oneOf }: JsonSchema): readonly JsonSchema[] {
  return [...listed(anyOf), ...listed(oneOf)]
}

/** The schemas of a list's items: the first ones by position (TypeBox writes these as `items`), and all others. */
export function itemsOf(node: JsonSchema): { readonly first: readonly unknown[]; readonly rest: unknown } {
  if (Array.isArray(node.items)) return { first: node.items, rest: node.additionalItems }
  return { first: Array.isArray(node.prefixItems) ? node.prefixItems : [], rest: node.items }
}

/** Whether a schema or a part of it has one of some keywords. */
export function mentions(schema: JsonSchema, keywords: readonly string[]): boolean {
  let found = keywords.some(keyword => schema[keyword] !== undefined)
  mapSubschemas(schema, each => {
    found ||= mentions(each, keywords)
  })
  return found
}
