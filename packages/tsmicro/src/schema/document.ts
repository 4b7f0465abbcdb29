import { isNode, type JsonSchema } from './schema.ts'
import { mapSubschemas, TESTS } from './subschemas.ts'

/**
 * Collects the named schemas of a document. A schema's own `$defs` are moved there, because inside the document `#/$defs/Node` and
 * TypeBox's plain `Node` would point nowhere.
 */
export class SchemaCollection {
  readonly #named: Record<string, JsonSchema>

  constructor(named: Record<string, JsonSchema>) {
    this.#named = { ...named }
  }

  get named(): Readonly<Record<string, JsonSchema>> {
    return this.#named
  }

  /** @param owner unique in the document; the names of moved schemas begin with it */
  add(schema: JsonSchema, owner: string): JsonSchema {
    const definitions = { ...(schema.$defs as object), ...(schema.definitions as object) } as Record<string, JsonSchema>
    const names = Object.keys(definitions)
    const self = JSON.stringify(schema).includes('"$ref":"#"')
    if (names.length === 0 && !self) return schema
    const pointer = (name: string) => `#/components/schemas/${owner}.${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}`
    const targets = new Map(
      names.flatMap(name => [name, `#/$defs/${name}`, `#/definitions/${name}`].map(ref => [ref, pointer(name)])),
    )
    targets.set('#', pointer('Root'))
    const moved = (node: unknown): unknown => {
      if (Array.isArray(node)) return node.map(moved)
      if (!isNode(node)) return node
      const { $defs, definitions, $id, ...rest } = node
      return Object.fromEntries(
        Object.entries(rest).map(([key, value]) => [
          key,
          key === '$ref' ? (targets.get(String(value)) ?? value) : moved(value),
        ]),
      )
    }
    for (const name of names)
      this.#named[pointer(name).slice('#/components/schemas/'.length)] = moved(definitions[name]) as JsonSchema
    const root = moved(schema) as JsonSchema
    if (!self) return root
    this.#named[`${owner}.Root`] = root
    return { $ref: pointer('Root') }
  }
}

/** One field of an object, across all parts and alternatives of its schema. */
export interface Field {
  readonly name: string
  /** Whether it may never be left out: it has no default, and every alternative has it. */
  readonly required: boolean
  readonly schema: JsonSchema
}

/** The fields that a schema names. If alternatives describe a field differently, its schema is any of theirs. */
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

/** Keywords whose values are not schemas; they are copied unchanged. */
const VALUES = ['const', 'enum', 'default', 'examples', 'required']

/** Makes every property with a default optional, at any depth. */
export function withDefaults(schema: JsonSchema): JsonSchema {
  return relax(schema) as JsonSchema
}

function relax(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(relax)
  if (!isNode(node)) return node
  const copy: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(node)) copy[key] = VALUES.includes(key) ? member : relax(member)
  if (!Array.isArray(node.required) || !isNode(node.properties)) return copy
  const properties = node.properties as Record<string, JsonSchema | undefined>
  return { ...copy, required: node.required.filter(name => properties[name]?.default === undefined) }
}

/** Classes that not all languages know, or not as JavaScript means them, as ranges of characters. */
const CLASSES: Readonly<Record<string, string>> = {
  d: '0-9',
  w: 'A-Za-z0-9_',
  s: '\\u0009-\\u000d \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff',
  'p{Cc}': '\\u0000-\\u001f\\u007f-\\u009f',
  'p{Zl}': '\\u2028',
  'p{Zp}': '\\u2029',
  'p{Zs}': ' \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000',
}

/** Writes the classes in a schema's patterns as ranges. Others, such as `\p{L}`, would be too long. */
export function portable(schema: JsonSchema): JsonSchema {
  const copy = mapSubschemas(schema, each => portable(each))
  return typeof copy.pattern === 'string' ? { ...copy, pattern: withRanges(copy.pattern) } : copy
}

function withRanges(pattern: string): string {
  let isInClass = false
  return pattern.replaceAll(/\\(p\{\w+\}|.)|[[\]]/gis, (part, name?: string) => {
    if (name === undefined) isInClass = part === '['
    const ranges = CLASSES[name ?? '']
    if (ranges !== undefined) return isInClass ? ranges : `[${ranges}]`
    const others = CLASSES[name?.replace(/^[DWSP]/, first => first.toLowerCase()) ?? '']
    return others === undefined || isInClass ? part : `[^${others}]`
  })
}

/**
 * What both doors refuse in every text, which a schema does not say by itself: NUL and lone surrogates. It means the same in languages whose
 * regular expressions see characters, and in those that see UTF-16, such as JavaScript's without the flag u.
 */
const TEXT = '^(?:[^\\u0000\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff])*$'
/** Patterns of ASCII alone, anchored at both ends: they match no other text. */
const PLAIN_PATTERN = /^\^(?:[^.|\\[\u0080-\uffff]|\[(?!\^)[^\\\]\u0080-\uffff]*\])*\$$/

/** Says of all texts, and of the names of fields that are not fixed, which characters they cannot contain. */
export function textsOnly(schema: JsonSchema): JsonSchema {
  const copy = mapSubschemas(schema, (each, keyword) => (TESTS.includes(keyword) ? each : textsOnly(each)))
  const { type, pattern, allOf = [], propertyNames, patternProperties, additionalProperties } = schema
  const namesAreFree = isNode(patternProperties) || isNode(additionalProperties)
  const named = namesAreFree && propertyNames === undefined ? { ...copy, propertyNames: { pattern: TEXT } } : copy
  const isText = [type].flat().includes('string') && schema.enum === undefined && schema.const === undefined
  if (!isText || PLAIN_PATTERN.test(String(pattern))) return named
  return pattern === undefined
    ? { ...named, pattern: TEXT }
    : { ...named, allOf: [...(allOf as JsonSchema[]), { pattern: TEXT }] }
}

/** A schema without some of its fields, which come from elsewhere. */
export function without(schema: JsonSchema, names: readonly string[]): JsonSchema {
  if (names.length === 0) return schema
  const copy: Record<string, unknown> = { ...schema }
  if (isNode(schema.properties))
    copy.properties = Object.fromEntries(Object.entries(schema.properties).filter(([name]) => !names.includes(name)))
  if (Array.isArray(schema.required)) copy.required = schema.required.filter(name => !names.includes(name))
  for (const key of ['allOf', 'anyOf', 'oneOf'])
    if (Array.isArray(schema[key])) copy[key] = schema[key].map(each => (isNode(each) ? without(each, names) : each))
  return copy
}
