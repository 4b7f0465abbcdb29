import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type, { type TSchema } from 'typebox'
import { compileCoercion } from './coerce.ts'
import { readsNull } from './kinds.ts'
import type { JsonSchema } from './schema.ts'

const Null = Type.Null()
const bound = [
  ...['date-time', 'date', 'time', 'duration', 'email', 'ipv4', 'ipv6', 'uri', 'url', 'uuid', 'json-pointer'],
  ...['idn-email', 'iri', 'relative-json-pointer', 'hostname', 'regex', 'uri-reference', 'of-our-own'],
].map(format => Type.String({ format }))
const kinds: readonly TSchema[] = [
  ...[Null, Type.String(), Type.Integer(), Type.Number(), Type.Boolean(), Type.Any(), Type.Literal('null'), ...bound],
  ...[
    Type.Literal('x'),
    Type.Enum([1, 2]),
    Type.Unsafe({ enum: ['a', null] }),
    Type.Unsafe({ type: ['null', 'integer'] }),
  ],
  ...[Type.String({ minLength: 5 }), Type.String({ maxLength: 3 }), Type.String({ maxLength: 9 })],
  ...[Type.String({ pattern: '^\\d+$' }), Type.String({ pattern: '^[a-z]+$' })],
]
const fields = [
  ...kinds,
  ...kinds.map(kind => Type.Union([kind, Null])),
  ...kinds.map(kind => Type.Array(kind)),
  ...kinds.map(kind => Type.Array(Type.Union([kind, Null]))),
]
const objects = (field: TSchema): readonly TSchema[] => [
  Type.Object({ f: field }),
  Type.Record(Type.String(), field),
  Type.Intersect([Type.Object({ f: field }), Type.Object({ g: Type.Optional(Type.String()) })]),
  Type.Union([Type.Object({ f: field }), Type.Object({ f: Type.Integer() })]),
]

test('the text null is read as null wherever readsNull says so, and in every nullable field without texts', () => {
  let read = 0
  for (const field of fields)
    for (const schema of objects(field)) {
      if (!readsNull(schema as JsonSchema, 'f')) continue
      read++
      const value = compileCoercion(schema as JsonSchema)({ f: 'null' }).f
      assert.equal([value].flat()[0], null, JSON.stringify(schema))
    }
  assert.ok(read > 100, `${read} are`)
  for (const kind of [Type.Integer(), Type.Boolean(), Type.String({ format: 'date-time' }), Type.Literal('x')])
    assert.ok(readsNull({ properties: { f: Type.Union([kind, Null]) } }, 'f'), JSON.stringify(kind))
})
