import fc from 'fast-check'
import type { JsonSchema } from '../../src/schema/index.ts'

/** JSON Schemas with any keywords in any combination, whether they make sense or not, and small values that often match them. */

const small = fc.integer({ min: 0, max: 3 })
const name = fc.constantFrom('a', 'b', 'c')
const constant = fc.constantFrom<unknown>('a', 'b', 1, 2, 1.5, true, null)

/** Values for a few of a small vocabulary's names and texts. */
export const smallValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    {
      arbitrary: fc.constantFrom<unknown>('', 'a', 'b', 'ab', 'abcd', 0, 1, 2, 3, 5, 1.5, -1, true, false, null),
      weight: 3,
    },
    { arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'zz'), tie('value'), { maxKeys: 3 }), weight: 4 },
    { arbitrary: fc.array(tie('value'), { maxLength: 3 }), weight: 1 },
  ),
})).value

type Keywords = Record<string, fc.Arbitrary<unknown>>

const KEYWORDS: Readonly<Record<string, Keywords>> = {
  number: {
    minimum: small,
    maximum: small,
    exclusiveMinimum: small,
    exclusiveMaximum: small,
    multipleOf: fc.constantFrom(1, 2, 0.5),
  },
  string: { minLength: small, maxLength: small, pattern: fc.constantFrom('^a', 'b'), format: fc.constant('date') },
  array: { minItems: small, maxItems: small, uniqueItems: fc.boolean() },
  object: { minProperties: small, maxProperties: small },
}

const some = (keywords: Keywords, requiredKeys: string[] = []) => fc.record(keywords, { requiredKeys })

function nodes(inner: fc.Arbitrary<JsonSchema>): fc.Arbitrary<JsonSchema> {
  const either = fc.oneof({ arbitrary: inner, weight: 4 }, { arbitrary: fc.boolean(), weight: 1 })
  const properties = fc.dictionary(name, fc.tuple(inner, fc.option(constant)).map(withDefault), { maxKeys: 3 })
  const list = fc.array(inner, { minLength: 1, maxLength: 3 })
  const object = some(
    {
      type: fc.constant('object'),
      properties,
      required: fc.uniqueArray(name, { maxLength: 2 }),
      additionalProperties: either,
      patternProperties: fc.dictionary(fc.constantFrom('^.*$', '^a', 'b'), inner, { maxKeys: 1 }),
      dependentRequired: fc.constant({ a: ['b'] }),
      propertyNames: fc.constantFrom({ type: 'string' }, { maxLength: 1 }),
      ...KEYWORDS.object,
    },
    ['type', 'properties'],
  )
  const array = some(
    { type: fc.constant('array'), items: either, prefixItems: list, contains: inner, ...KEYWORDS.array },
    ['type'],
  )
  const scalar = fc.oneof(
    some({ type: fc.constantFrom('number', 'integer'), ...KEYWORDS.number }, ['type']),
    some({ type: fc.constant('string'), ...KEYWORDS.string }, ['type']),
    some({ type: fc.uniqueArray(fc.constantFrom('null', 'string', 'number', 'object', 'boolean'), { minLength: 1 }) }),
    constant.map(value => ({ const: value })),
    fc.uniqueArray(constant, { minLength: 1, maxLength: 3 }).map(values => ({ enum: values })),
  )
  const base = some({ properties, required: fc.uniqueArray(name, { maxLength: 1 }) })
  const combined = fc
    .tuple(base, fc.constantFrom('anyOf', 'oneOf', 'allOf'), list)
    .map(([node, keyword, parts]) => ({ ...node, [keyword]: parts }))
  return fc.oneof(
    { arbitrary: scalar, weight: 5 },
    { arbitrary: object, weight: 6 },
    { arbitrary: array, weight: 2 },
    { arbitrary: combined, weight: 3 },
    { arbitrary: inner.map(not => ({ not })), weight: 1 },
    { arbitrary: fc.constantFrom<JsonSchema>({}, { $ref: '#/$defs/a' }, { $ref: '#' }), weight: 1 },
  )
}

function withDefault([node, initial]: [JsonSchema, unknown]): JsonSchema {
  return initial === null ? node : { ...node, default: initial }
}

const leaf: fc.Arbitrary<JsonSchema> = fc.constantFrom<JsonSchema>(
  { type: 'string' },
  { type: 'integer' },
  { type: 'null' },
  { const: 'a' },
  {},
)
const definition = nodes(leaf)

/** A schema with a definition that it may refer to. */
export const keywordSchema: fc.Arbitrary<JsonSchema> = fc
  .tuple(nodes(nodes(leaf)), definition)
  .map(([node, a]) => (JSON.stringify(node).includes('$defs') ? { ...node, $defs: { a } } : node))
