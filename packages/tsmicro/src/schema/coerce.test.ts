import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type, { type TSchema } from 'typebox'
import { compiled } from './compile.ts'
import { interpreted } from './interpret.ts'

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

const texts = ['null', 'true', '5', '-0', '1e21', '1e+21', '9007199254740993', '', 'x', '2026-01-02', '127.0.0.1', '[]']

test('a client reads the texts of a URL as the service does, without code generation', () => {
  for (const field of fields)
    for (const schema of objects(field)) {
      const readings = [compiled.reading(schema), interpreted.reading(schema)]
      for (const f of [...texts, ['5', 'null'], ['x', '5']]) {
        const [service, client] = readings.map(read => read({}, { f }))
        assert.deepEqual(client, service, `${f} ${JSON.stringify(schema)}`)
      }
      const [service, client] = readings.map(read => read({ g: 'x' }, { 'f[]': '' }))
      assert.deepEqual(client, service)
    }
})

test('the text null is read as null in every nullable field without texts', () => {
  for (const kind of [Type.Integer(), Type.Boolean(), Type.String({ format: 'date-time' }), Type.Literal('x')])
    for (const schema of objects(Type.Union([kind, Null])))
      assert.deepEqual(compiled.reading(schema)({}, { f: 'null' }), { f: null }, JSON.stringify(schema))
})
