/** Which fields a schema names, whatever its keywords: those are kept at every door, and no others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type from 'typebox'
import { z } from 'zod'
import type { Schema } from '../../src/schema/index.ts'
import { interpreted } from '../../src/schema/interpret.ts'
import { openRoom } from './room.ts'

const Event = Type.Object({ id: Type.String(), it: Type.Unknown() })
const has = (...names: readonly string[]) => ({
  properties: Object.fromEntries(names.map(name => [name, { type: 'integer' }])),
})
/** A condition. Written as a literal, an object with a field `then` would be taken for a promise. */
const when = (condition: object, met: object, otherwise?: object) =>
  Object.fromEntries(
    Object.entries({ if: condition, else: otherwise })
      .concat([['then', met]])
      .filter(([, it]) => it),
  )
const object = (keywords: object) => Type.Unsafe({ type: 'object', ...keywords })

/** A value in which all fields are named, and one with more. */
const named: Record<string, [Schema, unknown, unknown]> = {
  'if and then': [
    object({ ...has('k'), ...when({ properties: { k: { const: 1 } } }, has('a'), has('b')) }),
    { k: 1, a: 2 },
    { k: 1, a: 2, b: 3, zz: 4 },
  ],
  else: [
    object({ ...has('k'), ...when({ properties: { k: { const: 1 } } }, has('a'), has('b')) }),
    { k: 2, b: 3 },
    { k: 2, a: 2, b: 3, zz: 4 },
  ],
  'if in a part': [
    object({ allOf: [has('k'), when({ required: ['k'] }, has('a'))] }),
    { k: 1, a: 2 },
    { k: 1, a: 2, zz: 3 },
  ],
  'if in a field': [
    Type.Object({ x: object(when({ required: ['a'] }, has('a', 'b'), has('c'))) }),
    { x: { a: 1, b: 2 } },
    { x: { a: 1, b: 2, c: 3 } },
  ],
  'dependent schemas': [
    object({ ...has('a'), dependentSchemas: { a: has('b'), c: has('d') } }),
    { a: 1, b: 2 },
    { a: 1, b: 2, d: 3 },
  ],
  dependencies: [object({ ...has('a'), dependencies: { a: has('b') } }), { a: 1, b: 2 }, { a: 1, b: 2, d: 3 }],
  'dependent schemas in a list': [
    Type.Array(object({ ...has('a'), dependentSchemas: { a: has('b') } })),
    [{ a: 1, b: 2 }, {}],
    [{ a: 1, b: 2, zz: 3 }, { b: 1 }],
  ],
  'prefix items': [
    Type.Unsafe({ type: 'array', prefixItems: [has('a'), has('b')], items: has('c') }),
    [{ a: 1 }, { b: 1 }, { c: 1 }],
    [
      { a: 1, b: 2 },
      { b: 1, c: 2 },
      { c: 1, a: 2 },
    ],
  ],
  'a tuple in alternatives': [
    Type.Union([Type.Tuple([Type.Object({ a: Type.Integer() })]), Type.String()]),
    [{ a: 1 }],
    [{ a: 1, zz: 2 }],
  ],
  'a pattern beside the name of a field': [
    object({
      properties: { ab: { type: 'object', ...has('x') } },
      patternProperties: { '^a': { type: 'object', ...has('y') } },
    }),
    { ab: { x: 1, y: 2 }, ac: { y: 1 } },
    { ab: { x: 1, y: 2, zz: 3 }, ac: { y: 1, x: 2 }, zz: 4 },
  ],
  'two patterns': [
    object({ patternProperties: { '^a': { type: 'object', ...has('x') }, b$: { type: 'object', ...has('y') } } }),
    { ab: { x: 1, y: 2 } },
    { ab: { x: 1, y: 2, zz: 3 }, c: 1 },
  ],
  'several alternatives beside fields': [
    object({ ...has('id'), anyOf: [has('a'), has('b')] }),
    { id: 1, a: 2, b: 3 },
    { id: 1, a: 2, b: 3, zz: 4 },
  ],
  'several alternatives in a part': [
    object({ allOf: [has('id'), { anyOf: [has('a'), has('b')] }] }),
    { id: 1, a: 2, b: 3 },
    { id: 1, a: 2, b: 3, zz: 4 },
  ],
  'anyOf beside oneOf': [
    object({
      anyOf: [has('a'), has('b')],
      oneOf: [
        { ...has('c'), required: ['c'] },
        { ...has('d'), required: ['d'] },
      ],
    }),
    { a: 1, b: 2, c: 3 },
    { a: 1, b: 2, c: 3, zz: 4 },
  ],
  'unevaluated properties': [
    object({ allOf: [has('a')], unevaluatedProperties: { type: 'object', ...has('x') } }),
    { a: 1, other: { x: 1 } },
    { a: 1, other: { x: 1, zz: 2 } },
  ],
  'a reference beside fields': [
    Type.Unsafe({ $ref: '#/$defs/A', ...has('b'), $defs: { A: { type: 'object', ...has('a') } } }),
    { a: 1, b: 2 },
    { a: 1, b: 2, zz: 3 },
  ],
  'a reference by position': [
    object({ properties: { a: { type: 'object', ...has('x') }, b: { $ref: '#/properties/a' } } }),
    { a: { x: 1 }, b: { x: 2 } },
    { a: { x: 1 }, b: { x: 2, zz: 3 } },
  ],
  'a reference by position in an alternative': [
    object({
      properties: { a: { type: 'object', ...has('x') }, b: { anyOf: [{ $ref: '#/properties/a' }, { type: 'null' }] } },
    }),
    { b: { x: 2 } },
    { b: { x: 2, zz: 3 } },
  ],
  'a reference with escapes': [
    Type.Unsafe({ $ref: '#/$defs/a~1b%20c', $defs: { 'a/b c': { type: 'object', ...has('a') } } }),
    { a: 1 },
    { a: 1, zz: 3 },
  ],
  'alternatives that are closed': [
    Type.Union([
      Type.Object({ a: Type.Integer() }, { additionalProperties: false }),
      Type.Object({ b: Type.Integer() }, { additionalProperties: false }),
    ]),
    { b: 1 },
    { b: 1, zz: 2 },
  ],
  'an object that is closed': [
    Type.Object({ a: Type.Integer() }, { additionalProperties: false }),
    { a: 1 },
    { a: 1, zz: 2 },
  ],
  'alternatives of zod that are closed': [
    z.union([z.strictObject({ a: z.int() }), z.strictObject({ b: z.int() })]),
    { b: 1 },
    { b: 1, zz: 2 },
  ],
  'exclusive alternatives of zod': [
    z.xor([z.object({ a: z.int() }), z.object({ b: z.int(), c: z.int().optional() })]),
    { b: 1, c: 2 },
    { b: 1, c: 2, zz: 3 },
  ],
  not: [object({ ...has('a'), not: { required: ['b'] } }), { a: 1 }, { a: 1, zz: 2 }],
}

for (const [what, [schema, value, more]] of Object.entries(named))
  test(`fields that a schema names are kept, and no others: ${what}`, async () => {
    await using room = await openRoom(schema, Event)
    const given = { ok: true, given: [value] }
    assert.deepEqual(await room.overHttp(value), given)
    assert.deepEqual(await room.overNats(value), given)
    assert.deepEqual(await room.called(value), given)
    assert.equal((await room.overHttp(more)).ok, false)
    assert.deepEqual(await room.overNats(more), given)
    assert.deepEqual(await room.called(more), given)
    for (const answer of [value, more]) {
      assert.deepEqual(await room.answerOverHttp(answer), { ok: true, data: value })
      assert.deepEqual(await room.answerOverNats(answer), { ok: true, data: value })
      assert.deepEqual(await room.answerToCaller(answer), { ok: true, data: value })
      assert.deepEqual(await interpreted.outgoing(schema)(answer), { value })
    }
  })

test('a class instance gives the fields that a condition names, getters included', async () => {
  class Row {
    readonly secret = 1
    get k() {
      return 1
    }
    get a() {
      return 2
    }
  }
  const schema = object({ ...has('k'), ...when({ properties: { k: { const: 1 } } }, has('a')) })
  await using room = await openRoom(schema, Event)
  assert.deepEqual(await room.answerOverHttp(new Row()), { ok: true, data: { k: 1, a: 2 } })
})

const both: Record<string, Schema> = {
  'of TypeBox': Type.Unsafe({ oneOf: [object(has('a')), object(has('b'))] }),
  'of zod': z.xor([z.object({ a: z.int().optional() }), z.object({ b: z.int().optional() })]),
  'of zod with loose objects': z.xor([z.looseObject({ a: z.int() }), z.looseObject({ b: z.int() })]),
}
for (const [what, schema] of Object.entries(both))
  test(`a value that matches several exclusive alternatives is refused at every door: ${what}`, async () => {
    await using room = await openRoom(schema, Event)
    for (const value of [
      { a: 1, b: 2 },
      { a: 1, b: 2, zz: 3 },
    ]) {
      for (const door of ['overHttp', 'overNats', 'called'] as const)
        assert.equal((await room[door](value)).ok, false, door)
      assert.deepEqual(await room.answerOverHttp(value), { ok: false })
      assert.deepEqual(await room.answerOverNats(value), { ok: false })
    }
  })

test('a check of the whole sees only fields that are named, at every door', async () => {
  const few = (value: object) => Object.keys(value).length === 1
  for (const schema of [
    Type.Refine(Type.Object({ a: Type.Integer() }), few),
    z.object({ a: z.int() }).refine(few),
    z.strictObject({ a: z.int() }).refine(few),
  ]) {
    await using room = await openRoom(schema as Schema, Event)
    const given = { ok: true, given: [{ a: 1 }] }
    assert.deepEqual(await room.overHttp({ a: 1 }), given)
    assert.equal((await room.overHttp({ a: 1, zz: 2 })).ok, false)
    assert.deepEqual(await room.overNats({ a: 1, zz: 2 }), given)
    assert.deepEqual(await room.called({ a: 1, zz: 2 }), given)
    assert.deepEqual(await room.answerOverHttp({ a: 1, zz: 2 }), { ok: true, data: { a: 1 } })
  }
})

test('an item too many and a field that may never be there are told by their path', async () => {
  for (const schema of [
    Type.Tuple([Type.String()]),
    Type.Unsafe({ type: 'array', prefixItems: [{ type: 'string' }], items: false }),
  ])
    assert.deepEqual(await interpreted.incoming(Type.Object({ v: schema }), 'refuse')({ v: ['a', 'b'] }), {
      problems: [{ path: 'v/1', message: 'must not be there' }],
    })
  assert.deepEqual(await interpreted.incoming(object({ properties: { a: false } }), 'refuse')({ a: 1 }), {
    problems: [{ path: 'a', message: 'must not be there' }],
  })
})
