import { isNode, type JsonSchema } from '../schema/index.ts'

/** One field of an object, over all of a schema's parts and alternatives. */
export interface Field {
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

/** Not schemas: taken as they are. */
const VALUES = ['const', 'enum', 'default', 'examples', 'required']

/** What has a default may be left out, however deep it is. */
export function withDefaults(schema: JsonSchema): JsonSchema {
  return leaveOut(schema) as JsonSchema
}

function leaveOut(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(leaveOut)
  if (!isNode(node)) return node
  const copy: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(node)) copy[key] = VALUES.includes(key) ? member : leaveOut(member)
  if (!Array.isArray(node.required) || !isNode(node.properties)) return copy
  const properties = node.properties as Record<string, JsonSchema | undefined>
  return { ...copy, required: node.required.filter(name => properties[name]?.default === undefined) }
}
