import { isNode, type JsonSchema } from './schema.ts'
import { mapSubschemas, partsOf, TESTS, withKeywords } from './subschemas.ts'

/** The pattern of TypeBox's records with any name. */
export const ANY_NAME = '^.*$'
/** Keywords whose schemas describe one object together with the keywords beside them. */
const PARTS: readonly string[] = ['allOf', 'then', 'else', 'dependentSchemas', 'dependencies']

/**
 * Copies a JSON Schema so that every object in it refuses properties that it names neither one by one nor by a pattern, unless it sets `additionalProperties` itself.
 * If several schemas describe one object together (`allOf`, or `anyOf` beside `properties`), each stays open and the combination is closed
 * as a whole: closing each would make it unsatisfiable.
 *
 * @example
 * closeSchema({ type: 'object', properties: { a: { type: 'string' } } })
 * // { type: 'object', properties: {…}, additionalProperties: false }
 */
export function closeSchema(schema: JsonSchema, close = true): JsonSchema {
  const { properties, patternProperties: patterns } = schema
  const namesFields = isNode(properties) || isNode(patterns)
  const isCombined = partsOf(schema).length > 0 || (namesFields && ('anyOf' in schema || 'oneOf' in schema))
  const copy = mapSubschemas(schema, (each, keyword) => {
    if (TESTS.includes(keyword)) return each
    if (keyword === 'anyOf' || keyword === 'oneOf') return closeSchema(each, close && !isCombined)
    return closeSchema(each, !PARTS.includes(keyword))
  })
  if (!close || 'additionalProperties' in schema || (isNode(patterns) && ANY_NAME in patterns)) return copy
  if (isCombined) return 'unevaluatedProperties' in copy ? copy : withKeywords(copy, { unevaluatedProperties: false })
  return namesFields ? withKeywords(copy, { additionalProperties: false }) : copy
}
