import type { JsonSchema } from './schema.ts'

const SINGLE = ['items', 'not', 'if', 'then', 'else', 'contains', 'propertyNames'] as const
const LISTS = ['anyOf', 'oneOf', 'prefixItems'] as const
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions'] as const

/**
 * Copies a JSON Schema so that every object in it refuses properties it does not name, unless it says
 * `additionalProperties` itself. Members of `allOf` stay open and the combination is closed as a whole: closing each of
 * them would make the combination unsatisfiable.
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
  for (const key of SINGLE) if (key in node) result[key] = copy(node[key], true)
  for (const key of LISTS) if (Array.isArray(node[key])) result[key] = node[key].map(member => copy(member, close))
  for (const key of MAPS) if (isNode(node[key])) result[key] = copyMap(node[key])
  if (Array.isArray(node.allOf)) {
    result.allOf = node.allOf.map(member => copy(member, false))
    if (close && !('additionalProperties' in node)) result.unevaluatedProperties ??= false
  } else if (close && isNode(node.properties) && !('additionalProperties' in node) && !('patternProperties' in node)) {
    result.additionalProperties = false
  }
  return result
}

function copyMap(map: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(map).map(([key, member]) => [key, copy(member, true)]))
}

function isNode(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
