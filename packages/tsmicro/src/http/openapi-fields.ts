import { isNode, type JsonSchema } from '../schema/index.ts'

/** One field of an object, over all of a schema's parts and alternatives. */
interface Field {
  readonly name: string
  /** Whether it may never be left out: there is no default, and no alternative without it. */
  readonly required: boolean
  readonly schema: JsonSchema
}

/** The fields that a schema names. Where alternatives describe one differently, it is any of them. */
export function fieldsOf(schema: JsonSchema): readonly Field[] {
  const { properties, required, allOf, anyOf = schema.oneOf } = schema
  const names = Array.isArray(required) ? required : []
  const own = Object.entries(isNode(properties) ? (properties as Record<string, JsonSchema>) : {}).map(
    ([name, property]) => ({
      name,
      required: names.includes(name) && property.default === undefined,
      schema: property,
    }),
  )
  const parts = Array.isArray(allOf) ? allOf.filter(isNode).flatMap(fieldsOf) : []
  const alternatives = Array.isArray(anyOf) ? anyOf.filter(isNode).map(fieldsOf) : []
  const inner = [...new Set(alternatives.flat().map(({ name }) => name))].map(name => {
    const found = alternatives.flatMap(fields => fields.filter(field => field.name === name))
    const required = found.length === alternatives.length && found.every(field => field.required)
    return { name, required, schema: anyOfSchemas(found) }
  })
  const all = [...own, ...parts, ...inner]
  return all.filter(({ name }, index) => all.findIndex(field => field.name === name) === index)
}

function anyOfSchemas(found: readonly Field[]): JsonSchema {
  const different = [...new Map(found.map(({ schema }) => [JSON.stringify(schema), schema])).values()]
  return different.length === 1 && different[0] ? different[0] : { anyOf: different }
}
