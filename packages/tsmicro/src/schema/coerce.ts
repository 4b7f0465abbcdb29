import { isNode, type JsonSchema } from './schema.ts'

type Convert = (value: unknown) => unknown
type Fields = Record<string, unknown>

const NUMBER = /^-?(0|[1-9]\d{0,15})(\.\d{1,15})?$/

/**
 * Prepares the conversion of path and query strings to what an object schema asks for: numbers, integers, booleans and
 * lists. Worked out once, at start. What does not look like the wanted type is left as it is for the validator to refuse.
 */
export function compileCoercion(schema: JsonSchema): (input: Fields) => Fields {
  const converters = Object.entries(propertiesOf(schema)).flatMap(([name, property]) => {
    const convert = converterOf(property)
    return convert ? [[name, convert] as const] : []
  })
  if (converters.length === 0) return input => input
  return input => {
    const result = { ...input }
    for (const [name, convert] of converters) {
      if (result[name] !== undefined) result[name] = convert(result[name])
    }
    return result
  }
}

/** Prepares the filling in of defaults for absent properties of an object schema; `undefined` when it has none. */
export function compileDefaults(schema: JsonSchema): ((input: unknown) => unknown) | undefined {
  const defaults = Object.entries(propertiesOf(schema)).filter(([, property]) => property.default !== undefined)
  if (defaults.length === 0) return undefined
  return input => {
    if (!isNode(input)) return input
    const absent = defaults.filter(([name]) => input[name] === undefined)
    if (absent.length === 0) return input
    return {
      ...input,
      ...Object.fromEntries(absent.map(([name, property]) => [name, structuredClone(property.default)])),
    }
  }
}

function propertiesOf(schema: JsonSchema): Record<string, JsonSchema> {
  const members = Array.isArray(schema.allOf) ? schema.allOf.map(propertiesOf) : []
  return Object.assign({}, ...members, schema.properties)
}

function converterOf(schema: JsonSchema): Convert | undefined {
  const { type } = schema
  if (type === 'integer' || type === 'number' || typeof schema.const === 'number') return toNumber
  if (type === 'boolean' || typeof schema.const === 'boolean') return toBoolean
  if (type === 'array') {
    const each = converterOf((schema.items ?? {}) as JsonSchema) ?? (value => value)
    return value => (Array.isArray(value) ? value : [value]).map(each)
  }
  const branches = (schema.anyOf ?? schema.oneOf) as readonly JsonSchema[] | undefined
  // Text stays text where text is allowed: `"5"` may be a name.
  if (!branches || branches.some(({ type, const: constant }) => type === 'string' || typeof constant === 'string'))
    return
  const converters = branches.map(converterOf).filter(convert => convert !== undefined)
  return value => converters.reduce((result, convert) => (result === value ? convert(value) : result), value)
}

function toNumber(value: unknown): unknown {
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : value
}

function toBoolean(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value
}
