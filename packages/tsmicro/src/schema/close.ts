import { isNode, type JsonSchema } from './schema.ts'

/** Where a value's own shape is described. `not`, `if` and `contains` only test: closing them would change what they match. */
const SINGLE = ['items', 'then', 'else', 'additionalProperties'] as const
const LISTS = ['anyOf', 'oneOf', 'prefixItems'] as const
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions'] as const

/**
 * Copies a JSON Schema so that every object in it refuses properties it does not name, unless it says
 * `additionalProperties` itself. Where several schemas describe one object together (`allOf`, or `anyOf` beside
 * `properties`) they stay open and the combination is closed as a whole: closing each would make it unsatisfiable.
 *
 * @example
 * closeSchema({ type: 'object', properties: { a: { type: 'string' } } })
 * // { type: 'object', properties: {…}, additionalProperties: false }
 */
export function closeSchema(schema: JsonSchema): JsonSchema {
  return copy(schema, true) as JsonSchema
}

function copy(node: unknown, close: boolean): unknown {
  if (!isNode(node)) return node
  const result: Record<string, unknown> = { ...node }
  const combined = Array.isArray(node.allOf) || (isNode(node.properties) && ('anyOf' in node || 'oneOf' in node))
  const saysItself = 'additionalProperties' in node || 'patternProperties' in node
  for (const key of SINGLE) if (key in node) result[key] = copy(node[key], true)
  // TypeBox writes a tuple as a list of `items`.
  if (Array.isArray(node.items)) result.items = node.items.map(item => copy(item, true))
  for (const key of LISTS) {
    if (Array.isArray(node[key])) result[key] = node[key].map(member => copy(member, close && !combined))
  }
  for (const key of MAPS) if (isNode(node[key])) result[key] = copyMap(node[key])
  if (Array.isArray(node.allOf)) result.allOf = node.allOf.map(member => copy(member, false))
  if (!close || saysItself) return result
  if (combined) result.unevaluatedProperties ??= false
  else if (isNode(node.properties)) result.additionalProperties = false
  return result
}

function copyMap(map: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(map).map(([key, member]) => [key, copy(member, true)]))
}
