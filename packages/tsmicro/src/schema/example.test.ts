import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import Type from 'typebox'
import { exampleOf } from './example.ts'
import type { JsonSchema } from './schema.ts'

const ajv = new Ajv2020({ strict: false, validateFormats: false })

test('an example says what its schema says, and is the same every time', () => {
  for (const [schema, expected] of [
    [{ type: 'string', examples: ['AB-1'] }, 'AB-1'],
    [{ type: 'integer', default: 10, minimum: 1 }, 10],
    [{ enum: ['READ', 'WRITE'] }, 'READ'],
    [{ anyOf: [{ const: 'a' }, { const: 'b' }] }, 'a'],
    [{ type: 'object', properties: { title: { type: 'string', minLength: 7 } } }, { title: 'title-a' }],
    [{ type: 'array', items: { type: 'boolean' } }, [true]],
    [{ type: ['null', 'string'] }, null],
    [{ type: 'string', format: 'date-time' }, '2026-01-31T12:00:00Z'],
  ] as const)
    for (let time = 0; time < 2; time++) assert.deepEqual(exampleOf(schema as JsonSchema), expected)
})

test('every example matches its schema, as another validator reads it', () => {
  const schemas: readonly object[] = [
    { type: 'integer', exclusiveMinimum: 10, multipleOf: 5 },
    { type: 'integer', maximum: -3 },
    { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.1 },
    { type: 'number', minimum: 0.7 },
    { type: 'string', pattern: '^[0-9a-f]{24}$' },
    { type: 'string', pattern: '^[^"]+$', format: 'email', maxLength: 320 },
    { type: 'string', pattern: '^[a-z]+$', minLength: 12, maxLength: 14 },
    { type: 'array', items: { type: 'integer' }, minItems: 3 },
    { allOf: [Type.Object({ a: Type.String() }), Type.Object({ b: Type.Integer({ minimum: 2 }) })] },
    Type.Union([Type.Object({ kind: Type.Literal('x'), x: Type.Number() }), Type.Object({ kind: Type.Literal('y') })]),
    Type.Record(Type.String(), Type.Integer()),
    {
      $defs: { Node: { type: 'object', properties: { kids: { type: 'array', items: { $ref: '#/$defs/Node' } } } } },
      $ref: '#/$defs/Node',
    },
    {
      type: 'object',
      properties: { a: { type: 'string' } },
      required: ['a'],
      minProperties: 1,
      additionalProperties: false,
    },
  ]
  for (const schema of schemas) {
    const example = exampleOf(schema as JsonSchema)
    assert.notEqual(example, undefined, JSON.stringify(schema))
    assert.ok(
      ajv.validate(schema, example),
      `${JSON.stringify(example)} is not an example of ${JSON.stringify(schema)}`,
    )
  }
})

test('where none is found there is none: nothing wrong is shown, and nothing hangs', () => {
  for (const schema of [
    { type: 'string', pattern: '^(x[0-9]{3}y){7}$' },
    { type: 'string', pattern: '(' },
    { not: {} },
    { type: 'array', items: { type: 'boolean' }, minItems: 3, uniqueItems: true },
    { type: 'object', required: ['gone'], properties: { gone: { not: {} } } },
    { $ref: '#' },
    { anyOf: [{ $ref: '#' }] },
  ])
    assert.equal(exampleOf(schema), undefined, JSON.stringify(schema))
})
