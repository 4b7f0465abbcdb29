import { mapSubschemas, TESTS } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'

/**
 * Copies a JSON Schema so that every object in it refuses properties that it does not name, unless it sets `additionalProperties` itself.
 * If several schemas describe one object together (`allOf`, or `anyOf` beside `properties`), each stays open and the combination is closed
 * as a whole: closing each would make it unsatisfiable.
 *
 * @example
 * closeSchema({ type: 'object', properties: { a: { type: 'string' } } })
 * // { type: 'object', properties: {…}, additionalProperties: false }
 */
export function closeSchema(schema: JsonSchema, close = true): JsonSchema {
  const isCombined = 'allOf' in schema || (isNode(schema.properties) && ('anyOf' in schema || 'oneOf' in schema))
  const copy = mapSubschemas(schema, (each, keyword) => {
    if (TESTS.includes(keyword)) return each
    if (keyword === 'anyOf' || keyword === 'oneOf') return closeSchema(each, close && !isCombined)
    return closeSchema(each, keyword !== 'allOf')
  })
  if (!close || 'additionalProperties' in schema || 'patternProperties' in schema) return copy
  if (isCombined) return { unevaluatedProperties: false, ...copy }
  return isNode(schema.properties) ? { ...copy, additionalProperties: false } : copy
}
