import type { TSchema } from 'typebox'
import { Check as matches } from 'typebox/schema'
import { textFor } from './example-text.ts'
import { type Root, rootOf, withNamedParts } from './references.ts'
import { isNode, type JsonSchema } from './schema.ts'
import { itemsOf } from './subschemas.ts'

/** Recursive schemas end here. */
const DEEPEST = 6

/** Which fields of an object an example has. */
type Fields = 'all' | 'required'

/**
 * A value that matches a JSON Schema, for documents and forms: the schema's own `examples`, `default`, `const` or first `enum`, otherwise one that
 * is made from its type, its limits and its name. The same for every call. Undefined if none was found, as for a pattern that is hard to meet.
 *
 * @param name what the value is called: a text without a pattern says it
 */
export function exampleOf(schema: JsonSchema, name = 'text'): unknown {
  const whole = withNamedParts(schema)
  const root = rootOf(whole)
  for (const fields of ['all', 'required'] as const) {
    const value = make(whole, { root, name, fields, depth: 0 })
    if (value !== undefined && matches(whole as TSchema, value)) return value
  }
  return undefined
}

interface Place {
  readonly root: Root
  readonly name: string
  readonly fields: Fields
  readonly depth: number
}

function make(node: unknown, place: Place): unknown {
  const { root, name, depth } = place
  if (depth > DEEPEST) return undefined
  const schema = whole(root.resolve(node), root)
  const { examples, const: only, enum: values, default: standard } = schema
  if (Array.isArray(examples) && examples.length > 0) return examples[0]
  if (standard !== undefined) return standard
  if (only !== undefined) return only
  if (Array.isArray(values)) return values[0]
  const branches = [schema.anyOf, schema.oneOf].filter(Array.isArray).flat().filter(isNode)
  const { anyOf: _, oneOf: __, ...base } = schema
  for (const branch of branches) {
    const value = make(join(base, whole(root.resolve(branch), root)), { ...place, depth: depth + 1 })
    if (value !== undefined) return value
  }
  if (branches.length > 0) return undefined
  switch (typeOf(schema)) {
    case 'object':
      return objectFor(schema, place)
    case 'array':
      return listFor(schema, place)
    case 'string':
      return textFor(schema, name)
    case 'integer':
      return numberFor(schema, 1)
    case 'number':
      return numberFor(schema, 0.5)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return depth === 0 ? undefined : name
  }
}

/** A schema with what its `allOf` says. */
function whole(schema: JsonSchema, root: Root): JsonSchema {
  const { allOf, ...own } = schema
  if (!Array.isArray(allOf)) return schema
  return allOf.reduce<JsonSchema>((all, part) => join(all, root.resolve(part)), own)
}

function join(one: JsonSchema, other: JsonSchema): JsonSchema {
  const joined: Record<string, unknown> = { ...one, ...other }
  for (const key of ['properties', '$defs'])
    if (isNode(one[key]) && isNode(other[key])) joined[key] = { ...one[key], ...other[key] }
  if (Array.isArray(one.required) && Array.isArray(other.required))
    joined.required = [...one.required, ...other.required]
  // Of several patterns the first is the schema's own; the result is checked against all.
  if (typeof one.pattern === 'string') joined.pattern = one.pattern
  return joined
}

function typeOf(schema: JsonSchema): unknown {
  const [type] = [schema.type].flat()
  if (type !== undefined) return type
  if (isNode(schema.properties) || isNode(schema.patternProperties)) return 'object'
  if ('items' in schema || 'prefixItems' in schema) return 'array'
  return ['pattern', 'format', 'minLength', 'maxLength'].some(key => key in schema) ? 'string' : undefined
}

function objectFor(schema: JsonSchema, place: Place): unknown {
  const { properties, required } = schema
  const needed = Array.isArray(required) ? required : []
  const made: Record<string, unknown> = {}
  for (const [name, field] of isNode(properties) ? Object.entries(properties) : []) {
    if (place.fields === 'required' && !needed.includes(name)) continue
    const value = make(field, { ...place, name, depth: place.depth + 1 })
    if (value !== undefined) made[name] = value
    else if (needed.includes(name)) return undefined
  }
  return made
}

function listFor(schema: JsonSchema, place: Place): unknown {
  const { first, rest } = itemsOf(schema)
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema as Readonly<Record<string, number>>
  const item = (node: unknown) => make(node, { ...place, depth: place.depth + 1 })
  const made = first.map(item)
  if (made.includes(undefined)) return undefined
  const wanted = Math.min(maxItems, Math.max(minItems, first.length > 0 ? 0 : 1))
  while (isNode(rest) && made.length < wanted) {
    const value = item(rest)
    if (value === undefined) return minItems > made.length ? undefined : made
    made.push(value)
  }
  return made
}

function numberFor(schema: JsonSchema, usual: number): number {
  const limit = (key: string, other: number) => (typeof schema[key] === 'number' ? schema[key] : other)
  const step = limit('multipleOf', usual === 1 ? 1 : 0)
  const low = Math.max(limit('minimum', Number.NEGATIVE_INFINITY), limit('exclusiveMinimum', Number.NEGATIVE_INFINITY))
  const high = Math.min(limit('maximum', Number.POSITIVE_INFINITY), limit('exclusiveMaximum', Number.POSITIVE_INFINITY))
  const excludes = low === schema.exclusiveMinimum
  const least = step > 0 ? Math.ceil(low / step) * step + (excludes && low % step === 0 ? step : 0) : low
  if (usual > low && usual < high && (step === 0 || usual % step === 0)) return usual
  if (step === 0 && Number.isFinite(low) && Number.isFinite(high)) return excludes ? (low + high) / 2 : low
  if (Number.isFinite(least)) return step === 0 && excludes ? low + 1 : least
  return step > 0 ? Math.floor(high / step) * step : high - 1
}
