/** What a schema says beyond JSON Schema's usual: records by pattern, own checks, and schemas that contain themselves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'
import { z } from 'zod'
import type { Schema } from '../../src/schema/index.ts'
import { interpreted } from '../../src/schema/interpret.ts'
import { openRoom } from './room.ts'

const Event = Type.Object({ id: Type.String(), it: Type.Unknown() })
const In = (schema: Type.TSchema) => Type.Object({ v: schema })
const Headers = Type.Record(Type.String({ pattern: '^x-' }), Type.Number())

const records: Record<string, [Schema, unknown, unknown]> = {
  'of a pattern': [In(Headers), { v: { 'x-a': 1 } }, { v: { 'x-a': 1, passwordHash: 'secret' } }],
  'of a template literal': [
    In(Type.Record(Type.TemplateLiteral(`x-\${string}`), Type.Number())),
    { v: { 'x-a': 1 } },
    { v: { 'x-a': 1, passwordHash: 'secret' } },
  ],
  'of integers': [Type.Record(Type.Integer(), Type.Number()), { 1: 1 }, { 1: 1, passwordHash: 'secret' }],
  'within an alternative': [
    In(Type.Union([Type.Null(), Headers])),
    { v: { 'x-a': 1 } },
    { v: { 'x-a': 1, passwordHash: 'secret' } },
  ],
  'within an intersection': [
    In(Type.Intersect([Headers, Type.Object({ id: Type.Integer() })])),
    { v: { 'x-a': 1, id: 2 } },
    { v: { 'x-a': 1, id: 2, passwordHash: 'secret' } },
  ],
  'with alternatives beside it': [
    In(Type.Unsafe({ ...Headers, anyOf: [{ required: ['x-a'] }, { required: ['x-b'] }] })),
    { v: { 'x-a': 1 } },
    { v: { 'x-a': 1, passwordHash: 'secret' } },
  ],
  'in a list of zod': [
    z.array(z.looseRecord(z.string().regex(/^x-/), z.number())),
    [{ 'x-a': 1 }],
    [{ 'x-a': 1, passwordHash: 'secret' }],
  ],
}

for (const [name, [schema, value, more]] of Object.entries(records))
  test(`a record ${name}: a name that does not match is unknown at every door`, async () => {
    await using room = await openRoom(schema, Event)
    const given = { ok: true, given: [value] }
    assert.deepEqual(await room.overHttp(value), given)
    assert.equal((await room.overHttp(more)).ok, false)
    assert.deepEqual(await room.overNats(more), given)
    assert.deepEqual(await room.called(more), given)
    assert.deepEqual(await room.answerOverHttp(more), { ok: true, data: value })
    assert.deepEqual(await room.answerOverNats(more), { ok: true, data: value })
  })

test('a record that allows further names keeps them', async () => {
  const value = { 'x-a': 1, other: 'text' }
  for (const others of [true, Type.String()]) {
    await using room = await openRoom(Type.Unsafe({ ...Headers, additionalProperties: others }), Event)
    assert.deepEqual(await room.overHttp(value), { ok: true, given: [value] })
    assert.deepEqual(await room.answerOverHttp(value), { ok: true, data: value })
  }
  await using room = await openRoom(Type.Record(Type.String(), Type.Number()), Event)
  assert.deepEqual(await room.answerOverHttp({ 'a\nb': 1 }), { ok: true, data: { 'a\nb': 1 } })
})

const Long = Type.Refine(
  Type.String(),
  text => text.length > 2,
  () => 'is too short',
)
const refined: Record<string, [Schema, unknown, unknown]> = {
  'of a field': [In(Long), { v: 'abc' }, { v: 'a' }],
  'of an optional field': [Type.Object({ v: Type.Optional(Long) }), { v: 'abc' }, { v: 'a' }],
  'of the whole': [
    Type.Refine(Type.Object({ a: Type.String(), b: Type.String() }), ({ a, b }) => a === b),
    { a: 'x', b: 'x' },
    { a: 'x', b: 'y' },
  ],
  'of a list and its items': [
    Type.Refine(Type.Array(In(Long), { uniqueItems: true }), list => list.length < 3),
    [{ v: 'abc' }],
    [{ v: 'abc' }, { v: 'abd' }, { v: 'abe' }],
  ],
  'of an item': [Type.Array(Long), ['abc'], ['abc', 'a']],
  'of an alternative': [In(Type.Union([Long, In(Long)])), { v: { v: 'abc' } }, { v: { v: 'a' } }],
  'of a part': [Type.Intersect([In(Long), Type.Object({ w: Type.Integer() })]), { v: 'abc', w: 1 }, { v: 'a', w: 1 }],
  'in a record': [Type.Record(Type.String(), Long), { a: 'abc' }, { a: 'a' }],
  'in a schema that contains itself': [
    Type.Cyclic({ N: Type.Object({ v: Long, in: Type.Array(Type.Ref('N')) }) }, 'N'),
    { v: 'abc', in: [] },
    { v: 'abc', in: [{ v: 'a', in: [] }] },
  ],
}

for (const [name, [schema, value, wrong]] of Object.entries(refined))
  test(`an own check (Type.Refine) ${name} decides at every door, and in browsers`, async () => {
    await using room = await openRoom(schema, Event)
    const given = { ok: true, given: [value] }
    assert.deepEqual(await room.overHttp(value), given)
    assert.deepEqual(await room.overNats(value), given)
    assert.deepEqual(await room.answerOverHttp(value), { ok: true, data: value })
    assert.equal((await room.overHttp(wrong)).ok, false)
    assert.equal((await room.overNats(wrong)).ok, false)
    assert.equal((await room.called(wrong)).ok, false)
    assert.deepEqual(await room.answerOverHttp(wrong), { ok: false })
    assert.deepEqual(await room.answerOverNats(wrong), { ok: false })
    for (const check of [interpreted.outgoing(schema), interpreted.incoming(schema, 'ignore')]) {
      assert.deepEqual(await check(value), { value })
      assert.ok((await check(wrong)).problems)
    }
  })

test('an own check gives its message, and is not asked about a value of another type', async () => {
  const check = interpreted.incoming(In(Long), 'refuse')
  assert.deepEqual(await check({ v: 'a' }), { problems: [{ path: 'v', message: 'is too short' }] })
  assert.deepEqual(await check({ v: null }), { problems: [{ path: 'v', message: 'must be string' }] })
})

test('an own check of an alternative decides what the text of a query stands for', async () => {
  const few = Type.Refine(
    Type.Integer(),
    count => count < 10,
    () => 'is too many',
  )
  const Few = Type.Object({ count: few })
  const shop = contract('shop', {
    either: procedure({
      http: 'GET /either',
      access: 'open',
      input: Type.Union([Few, Type.Object({ count: Type.String() })]),
      output: Type.Unknown(),
    }),
    both: procedure({
      http: 'GET /both',
      access: 'open',
      input: Type.Union([Type.Object({ ...Few.properties, all: Type.Literal(true) }), Few]),
      output: Type.Unknown(),
    }),
  })
  const handlers = [implement(shop, { either: ({ input }) => input, both: ({ input }) => input })]
  await using app = await testService(() => ({ handlers }))
  const read = async (path: string) => JSON.parse(await (await app.fetch(path)).text())
  assert.deepEqual((await read('/either?count=5')).data, { count: 5 })
  assert.deepEqual((await read('/either?count=50')).data, { count: '50' })
  assert.deepEqual((await read('/both?count=5&all=true')).data, { count: 5, all: true })
  assert.deepEqual((await read('/both?count=5')).data, { count: 5 })
  for (const path of ['/both?count=50', '/both?count=50&all=true'])
    assert.match(JSON.stringify((await read(path)).details), /"path":"count","message":"is too many"/, path)
})

type Lists = { a: number } | Lists[]
const Lists: z.ZodType<Lists> = z.lazy(() => z.union([z.object({ a: z.number() }), z.array(Lists)]))
const recursive: Record<string, [Schema, unknown]> = {
  'z.json()': [z.json(), { a: [1, { b: [null, 'x'] }] }],
  'z.json() in a field': [z.object({ v: z.json() }), { v: [1, { a: [2] }] }],
  'a lazy list of zod': [Lists, [{ a: 1 }, [{ a: 2 }, []]]],
  'a lazy list of zod in a field': [z.object({ v: Lists }), { v: [[{ a: 1 }]] }],
  'a list of itself': [In(Type.Cyclic({ N: Type.Array(Type.Ref('N')) }, 'N')), { v: [[], [[]]] }],
  'alternatives of itself': [
    Type.Object({
      v: Type.Cyclic(
        {
          N: Type.Union([Type.Number(), Type.Array(Type.Ref('N')), Type.Record(Type.String(), Type.Ref('N'))]),
        },
        'N',
      ),
    }),
    { v: [1, [2, { a: [3] }]] },
  ],
  'two that contain each other': [
    In(
      Type.Cyclic(
        {
          A: Type.Array(Type.Ref('B')),
          B: Type.Union([Type.Ref('A'), Type.Object({ a: Type.Optional(Type.Ref('A')) })]),
        },
        'A',
      ),
    ),
    { v: [[], { a: [[]] }] },
  ],
}

for (const [name, [schema, value]] of Object.entries(recursive))
  test(`a service with a schema that contains itself starts: ${name}`, async () => {
    await using room = await openRoom(schema, Event)
    const given = { ok: true, given: [value] }
    assert.deepEqual(await room.overHttp(value), given)
    assert.deepEqual(await room.overNats(value), given)
    assert.deepEqual(await room.called(value), given)
    assert.deepEqual(await room.answerOverHttp(value), { ok: true, data: value })
  })

const whole = {
  anyOf: [
    { type: 'object', required: ['a'], properties: { a: { type: 'number' } } },
    { type: 'array', items: { $ref: '#' } },
  ],
}
const selves: Record<string, Schema> = { 'of zod': Lists, 'of JSON Schema': Type.Unsafe(whole) }

for (const [name, schema] of Object.entries(selves))
  test(`a list ${name} that is a list of itself drops or refuses unknown fields at every depth`, async () => {
    await using room = await openRoom(schema, Event)
    const value = [{ a: 1 }, [{ a: 1 }]]
    const more = [{ a: 1, secret: 2 }, [{ a: 1, secret: 2 }]]
    assert.deepEqual(await room.overHttp(value), { ok: true, given: [value] })
    assert.equal((await room.overHttp(more)).ok, false)
    assert.deepEqual(await room.overNats(more), { ok: true, given: [value] })
    assert.deepEqual(await room.answerOverHttp(more), { ok: true, data: value })
    assert.deepEqual(await room.answerOverNats(more), { ok: true, data: value })
    assert.deepEqual(await room.answerOverHttp([{ a: 'x' }]), { ok: false })
  })
