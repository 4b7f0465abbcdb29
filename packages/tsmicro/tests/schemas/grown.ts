import fc from 'fast-check'
import { describeSchema, type JsonSchema } from '../../src/schema/index.ts'
import { shapeOf } from './generated.ts'
import { LIBRARIES } from './libraries.ts'

/** Before and after. */
export type Pair = readonly [JsonSchema, JsonSchema]

const any: fc.Arbitrary<JsonSchema> = shapeOf('typebox').map(shape => describeSchema(LIBRARIES.typebox(shape)))
const object = fc
  .dictionary(fc.constantFrom('a', 'b', 'c'), any, { maxKeys: 3 })
  .chain(properties => fc.subarray(Object.keys(properties)).map(required => objectOf(properties, required)))
const small = fc.integer({ min: 1, max: 9 })
const constants = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 1, 2, null), { minLength: 2, maxLength: 4 })

function objectOf(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]): JsonSchema {
  return { type: 'object', properties, required }
}

type Fields = { readonly properties: Record<string, JsonSchema>; readonly required: readonly string[] }

function grown(node: JsonSchema, field: JsonSchema, isRequired = false): JsonSchema {
  const { properties, required } = node as Fields
  return objectOf({ ...properties, fresh: field }, isRequired ? [...required, 'fresh'] : required)
}

interface Edit {
  /** Old callers send it, or old callers read it. */
  readonly direction: 'input' | 'output'
  readonly pair: fc.Arbitrary<Pair>
}

const input = (pair: fc.Arbitrary<Pair>): Edit => ({ direction: 'input', pair })
const output = (pair: fc.Arbitrary<Pair>): Edit => ({ direction: 'output', pair })

/** Changes that break nobody, with generated details. */
export const edits: Readonly<Record<string, Edit>> = {
  'a new optional input field': input(fc.tuple(object, any).map(([node, field]) => [node, grown(node, field)])),
  'a new input field with a default': input(
    fc
      .tuple(object, fc.constantFrom({ type: 'integer', default: 1 }, { type: 'string', default: '' }))
      .map(([node, field]) => [node, grown(node, field, true)]),
  ),
  'a required input field becomes optional': input(
    fc.tuple(object, any).map(([node, field]) => [grown(node, field, true), grown(node, field)]),
  ),
  'an input field may also be null': input(
    fc
      .tuple(object, any)
      .map(([node, field]) => [grown(node, field, true), grown(node, { anyOf: [field, { type: 'null' }] }, true)]),
  ),
  'an input number has wider limits': input(
    fc.tuple(small, small, small).map(([minimum, size, more]) => [
      { type: 'integer', minimum, maximum: minimum + size },
      { type: 'integer', minimum: minimum - more, maximum: minimum + size + more },
    ]),
  ),
  'an input integer may be any number': input(
    small.map(minimum => [
      { type: 'integer', minimum },
      { type: 'number', minimum },
    ]),
  ),
  'an input text may be longer, and in any form': input(
    fc.tuple(small, small, fc.boolean()).map(([maxLength, more, isBound]) => [
      { type: 'string', maxLength, minLength: 1, pattern: '^a', format: 'date' },
      { type: 'string', ...(isBound ? { maxLength: maxLength + more } : {}) },
    ]),
  ),
  'an input has one more constant': input(
    constants.map(values => [{ enum: values.slice(1) }, { anyOf: values.map(value => ({ const: value })) }]),
  ),
  'an input list may have more items, or fewer': input(
    fc.tuple(any, small, small).map(([items, size, more]) => [
      { type: 'array', items, minItems: size, maxItems: size + more },
      { type: 'array', items, minItems: size - 1, maxItems: size + 2 * more },
    ]),
  ),
  'an input has one more alternative': input(
    fc.tuple(object, object).map(([one, other]) => [one, { anyOf: [other, one] }]),
  ),
  'a new output field': output(
    fc.tuple(object, any, fc.boolean()).map(([node, field, isRequired]) => [node, grown(node, field, isRequired)]),
  ),
  'an optional output field is always there': output(
    fc.tuple(object, any).map(([node, field]) => [grown(node, field), grown(node, field, true)]),
  ),
  'an output is never null': output(
    fc
      .tuple(object, any)
      .map(([node, field]) => [grown(node, { anyOf: [field, { type: 'null' }] }, true), grown(node, field, true)]),
  ),
  'an output has narrower limits': output(
    fc.tuple(small, small).map(([maximum, less]) => [
      { type: 'number', maximum },
      { type: 'integer', minimum: 0, exclusiveMaximum: maximum - less },
    ]),
  ),
  'an output has fewer constants': output(constants.map(values => [{ enum: values }, { enum: values.slice(1) }])),
}

type Wrap = (node: JsonSchema) => JsonSchema

const wrap: fc.Arbitrary<Wrap> = fc.oneof(
  object.map(
    (around): Wrap =>
      node =>
        grown(around, node, true),
  ),
  object.map(
    (around): Wrap =>
      node =>
        grown(around, node),
  ),
  fc.constant<Wrap>(items => ({ type: 'array', items })),
  any.map(
    (first): Wrap =>
      node => ({ type: 'array', prefixItems: [first, node], items: false }),
  ),
  fc.constant<Wrap>(node => ({ type: 'object', additionalProperties: node })),
  fc.constant<Wrap>(node => ({ anyOf: [{ type: 'null' }, objectOf({ only: node }, ['only'])] })),
  object.map(
    (other): Wrap =>
      node => ({
        anyOf: [
          grown(other, { const: 'one' }, true),
          objectOf({ fresh: { const: 'two' }, more: node }, ['fresh', 'more']),
        ],
      }),
  ),
  object.map(
    (other): Wrap =>
      node => ({ allOf: [other, objectOf({ further: node }, ['further'])] }),
  ),
)

/** The same change somewhere within other schemas. */
export function inContext(pair: fc.Arbitrary<Pair>): fc.Arbitrary<Pair> {
  return fc
    .tuple(pair, fc.array(wrap, { maxLength: 3 }))
    .map(([[before, after], wraps]) => [
      wraps.reduce((node, around) => around(node), before),
      wraps.reduce((node, around) => around(node), after),
    ])
}
