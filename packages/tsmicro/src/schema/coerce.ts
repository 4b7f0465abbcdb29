import type { JsonSchema } from './schema.ts'

type Convert = (value: unknown) => unknown
type Fill = readonly [name: string, convert: Convert | undefined, fallback: unknown]

const NUMBER = /^-?(0|[1-9]\d{0,15})(\.\d{1,15})?$/

/**
 * Prepares the conversion of path and query strings to what an object schema asks for: numbers, integers, booleans and
 * lists; absent properties get the schema's default. Worked out once, at start. What does not look like the wanted type
 * is left as it is for the validator to refuse.
 */
export function compileCoercion(schema: JsonSchema): (input: Record<string, unknown>) => Record<string, unknown> {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>
  const fills: Fill[] = Object.entries(properties)
    .map(([name, property]): Fill => [name, converterOf(property), property.default])
    .filter(([, convert, fallback]) => convert !== undefined || fallback !== undefined)
  if (fills.length === 0) return input => input
  return input => {
    const result = { ...input }
    for (const [name, convert, fallback] of fills) {
      const value = result[name]
      if (value === undefined) {
        if (fallback !== undefined) result[name] = fallback
      } else if (convert) result[name] = convert(value)
    }
    return result
  }
}

function converterOf(schema: JsonSchema): Convert | undefined {
  if (schema.type === 'integer' || schema.type === 'number') return toNumber
  if (schema.type === 'boolean') return toBoolean
  if (schema.type === 'array') {
    const each = converterOf((schema.items ?? {}) as JsonSchema) ?? (value => value)
    return value => (Array.isArray(value) ? value : [value]).map(each)
  }
  return undefined
}

function toNumber(value: unknown): unknown {
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : value
}

function toBoolean(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value
}
