import type { JsonSchema } from '../src/catalogue-types.ts'
import { element } from './elements.ts'

export const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Finds what references in a schema mean: by position (`#/$defs/Node`), or by the plain name that TypeBox writes. */
export type Resolve = (node: unknown) => JsonSchema

export function resolverOf(root: JsonSchema): Resolve {
  const definitions = { ...Object(root.definitions), ...Object(root.$defs) }
  const target = (ref: string): unknown => {
    if (ref === '#') return root
    const name = ref.replace(/^#\/(\$defs|definitions)\//, '')
    return (
      definitions[name] ??
      ref
        .split('/')
        .slice(1)
        .reduce<unknown>((part, step) => Object(part)[step], root)
    )
  }
  return node => {
    let found = node
    for (let steps = 0; isSchema(found) && typeof found.$ref === 'string' && steps < 20; steps++) {
      Object.assign(definitions, Object(found.$defs))
      found = target(found.$ref)
    }
    if (!isSchema(found)) return {}
    const { allOf, ...own } = found
    if (!Array.isArray(allOf)) return found
    const parts: readonly JsonSchema[] = [own, ...allOf.map(part => Object(part))]
    const properties = parts.flatMap(part => Object.entries(Object(part.properties)))
    return Object.assign({}, ...parts, { properties: Object.fromEntries(properties) })
  }
}

/** The values of a schema that allows only some; undefined for others. */
export function choicesOf(schema: JsonSchema, resolve: Resolve): readonly unknown[] | undefined {
  if (Array.isArray(schema.enum)) return schema.enum
  if ('const' in schema) return [schema.const]
  const branches = schema.anyOf ?? schema.oneOf
  if (!Array.isArray(branches)) return undefined
  const all = branches.map(branch => choicesOf(resolve(branch), resolve))
  return all.every(each => each !== undefined) ? all.flat() : undefined
}

/** A schema's type in words: `text`, `list of integer`, `READ | WRITE`. */
export function typeInWords(schema: JsonSchema, resolve: Resolve): string {
  const choices = choicesOf(schema, resolve)
  if (choices) return choices.map(choice => (typeof choice === 'string' ? choice : JSON.stringify(choice))).join(' | ')
  const branches = schema.anyOf ?? schema.oneOf
  if (Array.isArray(branches)) return branches.map(branch => typeInWords(resolve(branch), resolve)).join(' or ')
  if (schema.type === 'array' || schema.items) {
    return isSchema(schema.items) ? `list of ${typeInWords(resolve(schema.items), resolve)}` : 'list'
  }
  if (schema.type === 'string') return String(schema.format ?? 'text')
  if (schema.properties || schema.type === 'object') return 'object'
  return schema.type === undefined ? 'anything' : [schema.type].flat().join(' or ')
}

const LIMITS: readonly (readonly [keyword: string, words: string])[] = [
  ['minLength', 'at least # characters'],
  ['maxLength', 'at most # characters'],
  ['minimum', 'at least #'],
  ['maximum', 'at most #'],
  ['exclusiveMinimum', 'more than #'],
  ['exclusiveMaximum', 'less than #'],
  ['multipleOf', 'a multiple of #'],
  ['minItems', 'at least # items'],
  ['maxItems', 'at most # items'],
  ['minProperties', 'at least # fields'],
  ['pattern', 'matches #'],
]

/** What a value has to be besides its type. */
export function limitsInWords(schema: JsonSchema): readonly string[] {
  const limits = LIMITS.flatMap(([keyword, words]) =>
    schema[keyword] === undefined ? [] : [words.replace('#', () => String(schema[keyword]))],
  )
  return [
    ...limits,
    ...(schema.uniqueItems ? ['no item twice'] : []),
    ...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
  ]
}

const DEEPEST = 6

/** A schema as a list of its fields, readable without knowing JSON Schema. */
export function schemaView(schema: JsonSchema, resolve: Resolve = resolverOf(schema), depth = 0): HTMLElement {
  const node = resolve(schema)
  const inner = innerOf(node, resolve)
  if (depth > DEEPEST || !isSchema(inner.properties)) {
    return element('p', { class: 'type' }, [typeInWords(node, resolve), ...limitsInWords(node)].join(', '))
  }
  const required: readonly unknown[] = Array.isArray(inner.required) ? inner.required : []
  const rows = Object.entries(inner.properties).map(([name, property]) => {
    const field = resolve(property)
    const words = [typeInWords(field, resolve), ...limitsInWords(field)].join(', ')
    const below = isSchema(innerOf(field, resolve).properties)
    return element(
      'li',
      {},
      element('code', {}, name),
      ' ',
      element('span', { class: 'type' }, words),
      !required.includes(name) && element('span', { class: 'optional' }, ' optional'),
      typeof field.description === 'string' && element('span', { class: 'about' }, ` ${field.description}`),
      below && schemaView(field, resolve, depth + 1),
    )
  })
  const list = element('ul', { class: 'fields' }, ...rows)
  if (inner === node) return list
  return element(
    'div',
    {},
    element('p', { class: 'type' }, [typeInWords(node, resolve), ...limitsInWords(node)].join(', ')),
    list,
  )
}

/** The schema of a list's items, or the schema itself. */
function innerOf(node: JsonSchema, resolve: Resolve): JsonSchema {
  return isSchema(node.items) && !node.properties ? resolve(node.items) : node
}
