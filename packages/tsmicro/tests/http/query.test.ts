import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement, VALIDATION_FAILED } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import type { JsonSchema } from 'tsmicro/internal'
import Type from 'typebox'
import { z } from 'zod'
import { serve } from '../support/service.ts'

const Loose = Type.Any()
const kinds = {
  level: Type.Enum([1, 2, 3]),
  mixed: Type.Unsafe<string | number | boolean>({ enum: ['auto', 2, true] }),
  literal: Type.Literal(7),
  on: Type.Union([Type.Literal(true), Type.Literal('maybe')]),
  nullable: Type.Union([Type.Integer(), Type.Null()]),
  name: Type.Union([Type.Integer(), Type.String()]),
  limit: Type.Union([Type.Literal('all'), Type.Integer()]),
  code: Type.Union([Type.String({ pattern: '^x' }), Type.Number()]),
  numbers: Type.Array(Type.Number()),
  flags: Type.Array(Type.Union([Type.Boolean(), Type.Null()])),
  levels: Type.Array(Type.Enum([1, 2])),
  some: Type.Union([Type.Integer(), Type.Array(Type.Integer())]),
  pair: Type.Tuple([Type.Integer(), Type.Boolean()]),
  price: Type.Number(),
  count: Type.Integer(),
  both: Type.Intersect([Type.Integer(), Type.Integer({ minimum: 3 })]),
  types: Type.Unsafe<number | boolean>({ type: ['integer', 'boolean'] }),
}
const Zod = z.object({
  page: z.number().optional(),
  since: z.coerce.date().optional(),
  many: z.array(z.number()).optional(),
  level: z.union([z.literal(1), z.literal(2)]).optional(),
  size: z.literal([1, 2]).optional(),
  empty: z.number().nullable().optional(),
  big: z.coerce.bigint().optional(),
  exact: z.boolean().default(false),
})
const shop = contract('shop', {
  kinds: procedure({ http: 'GET /kinds', access: 'key', input: Type.Partial(Type.Object(kinds)), output: Loose }),
  record: procedure({
    http: 'GET /record',
    access: 'key',
    input: Type.Record(Type.String(), Type.Integer()),
    output: Loose,
  }),
  union: procedure({
    http: 'GET /union',
    access: 'key',
    input: Type.Union([
      Type.Object({ by: Type.Literal('id'), value: Type.Integer() }),
      Type.Object({ by: Type.Literal('name'), value: Type.String(), n: Type.Integer({ default: 1 }) }),
    ]),
    output: Loose,
  }),
  id: procedure({ http: 'GET /id/:id', access: 'key', input: Type.Object({ id: Type.Integer() }), output: Loose }),
  rank: procedure({
    http: 'GET /rank/:rank',
    access: 'key',
    input: Type.Object({ rank: Type.Enum([1, 2]) }),
    output: Loose,
  }),
  zod: procedure({ http: 'GET /zod', access: 'key', input: Zod, output: Loose }),
  whole: procedure({
    http: 'GET /whole/:level',
    access: 'key',
    input: Type.Object({ level: kinds.level, at: Type.Optional(Type.String()), on: Type.Optional(kinds.on) }),
    output: Loose,
  }),
  text: procedure({
    http: 'GET /text/:text',
    access: 'key',
    input: Type.Object({ text: Type.String() }),
    output: Loose,
  }),
  deep: procedure({
    http: 'POST /deep',
    access: 'key',
    input: Type.Object({ all: Type.Array(Type.Object({ n: Type.Integer({ default: 1 }), m: Type.Integer() })) }),
  }),
  body: procedure({ http: 'POST /body', access: 'key', input: Loose, output: Loose }),
})
const { service } = await serve({
  handlers: [
    implement(shop, {
      kinds: ({ input }) => input,
      record: ({ input }) => input,
      union: ({ input }) => input,
      id: ({ input }) => input,
      rank: ({ input }) => input,
      zod: ({ input }) => ({ ...input, ...(input.big === undefined ? {} : { big: `${input.big}n` }) }),
      whole: ({ input }) => input,
      text: ({ input }) => input,
      deep: () => {},
      body: ({ input, context }) => ({ body: input, type: context.headers['content-type'], a: context.headers['x-a'] }),
    }),
  ],
})
after(() => service.stop())
const get = async (url: string) => {
  const { data, error, details } = (await service.inject({ url })).json<{
    data?: unknown
    error?: string
    details?: []
  }>()
  return { data, error, details: details as readonly { path: string; message: string }[] | undefined }
}

test('a text in a query stands for the value that it spells', async () => {
  const taken: Record<string, JsonSchema> = {
    'level=2': { level: 2 },
    'mixed=auto': { mixed: 'auto' },
    'mixed=2': { mixed: 2 },
    'mixed=true': { mixed: true },
    'literal=7': { literal: 7 },
    'on=true': { on: true },
    'on=maybe': { on: 'maybe' },
    'nullable=5': { nullable: 5 },
    'nullable=null': { nullable: null },
    'name=5': { name: '5' },
    'limit=5': { limit: 5 },
    'limit=all': { limit: 'all' },
    'code=x5': { code: 'x5' },
    'code=5': { code: 5 },
    'numbers=1&numbers=2.5': { numbers: [1, 2.5] },
    'numbers=1': { numbers: [1] },
    'flags=true&flags=null': { flags: [true, null] },
    'levels=1&levels=2': { levels: [1, 2] },
    'some=1': { some: 1 },
    'some=1&some=2': { some: [1, 2] },
    'pair=1&pair=true': { pair: [1, true] },
    'both=4': { both: 4 },
    'types=4': { types: 4 },
    'types=true': { types: true },
    'price=1e-7': { price: 1e-7 },
    'price=1e%2B21': { price: 1e21 },
    'count=1e3': { count: 1000 },
    'price=1.10': { price: 1.1 },
    'price=-0': { price: 0 },
  }
  for (const [query, expected] of Object.entries(taken))
    assert.deepEqual((await get(`/kinds?${query}`)).data, expected, query)
  for (const query of [
    'level=4',
    'level=02',
    'mixed=3',
    'on=false',
    'nullable=',
    'limit=none',
    'code=y',
    'numbers=a',
    'levels=3',
    'pair=1',
    'both=2',
    'level=1&level=2',
    'price=0x1',
    'price=',
  ])
    assert.equal((await get(`/kinds?${query}`)).error, 'VALIDATION_FAILED', query)
  assert.deepEqual((await get('/record?a=1&b=2')).data, { a: 1, b: 2 })
  assert.deepEqual((await get('/union?by=id&value=5')).data, { by: 'id', value: 5 })
  assert.deepEqual((await get('/union?by=name&value=5')).data, { by: 'name', value: '5', n: 1 })
  assert.equal((await get('/union?by=id&value=x')).error, 'VALIDATION_FAILED')
  assert.deepEqual((await get('/rank/2')).data, { rank: 2 })
  assert.deepEqual((await get('/whole/3?on=true')).data, { level: 3, on: true })
})

test('a number that cannot hold its text is refused, saying so', async () => {
  for (const id of ['9007199254740993', '-9007199254740993', '123456789012345678901'])
    assert.deepEqual(
      (await get(`/id/${id}`)).details?.map(({ path, message }) => [path, message.slice(0, 35)]),
      [['id', 'is beyond what a number can hold; s']],
    )
  for (const price of [
    '1e400',
    '-1e400',
    '1e-400',
    '0.12345678901234567890',
    '9007199254740993',
    `1${'0'.repeat(400)}`,
  ])
    assert.match(
      (await get(`/kinds?price=${price}`)).details?.[0]?.message ?? '',
      /beyond what a number can hold/,
      price,
    )
  assert.match(
    (await get('/kinds?numbers=1&numbers=1e400')).details?.[0]?.message ?? '',
    /beyond what a number can hold/,
  )
  assert.deepEqual((await get('/id/9007199254740992')).data, { id: 2 ** 53 })
  assert.ok(Object.is(((await get('/id/-0')).data as { id: number }).id, 0))
})

test('a zod query is converted by its JSON Schema, dates included, and documented', async () => {
  assert.deepEqual((await get('/zod?page=2')).data, { page: 2, exact: false })
  assert.deepEqual(
    (await get('/zod?since=2026-01-02T00:00:00Z&many=1&level=2&size=2&empty=null&exact=true&big=9007199254740993'))
      .data,
    {
      since: '2026-01-02T00:00:00.000Z',
      many: [1],
      level: 2,
      size: 2,
      empty: null,
      exact: true,
      big: '9007199254740993n',
    },
  )
  assert.equal((await get('/zod?since=never')).error, 'VALIDATION_FAILED')
  const document = (await service.inject({ url: '/openapi.json' })).json<{
    paths: Record<string, { get: { parameters: JsonSchema[] }; post: unknown }>
  }>()
  assert.match(JSON.stringify(document.paths['/deep']?.post), /"items":\{"type":"object","required":\["m"\]/)
  const parameters = (path: string) => document.paths[path]?.get.parameters ?? []
  assert.deepEqual(
    parameters('/zod').map(({ name }) => name),
    Object.keys(Zod.shape),
  )
  const since = parameters('/zod')[1]?.schema as JsonSchema | undefined
  assert.deepEqual([since?.type, since?.format], ['string', 'date-time'])
  assert.deepEqual(
    parameters('/union').map(({ name, required }) => [name, required]),
    [
      ['by', true],
      ['value', true],
      ['n', false],
    ],
  )
})

test('the client writes values so that they arrive as they are', async () => {
  const client = createHttpClient(shop, { baseUrl: service.url, headers: { 'X-A': '1' } })
  const since = new Date('2026-01-02T03:04:05.678Z')
  assert.deepEqual(await client.zod({ since, big: 12345678901234567890n, empty: null }), {
    since: since.toISOString(),
    big: '12345678901234567890n',
    empty: null,
    exact: false,
  })
  assert.deepEqual(await client.whole({ level: 2, on: undefined as never }), { level: 2 })
  const sent = {
    numbers: [1, 2.5, 1e21, 1e-7],
    nullable: null,
    flags: [true, null],
    name: undefined as never,
    price: -0,
  }
  assert.deepEqual(await client.kinds(sent), {
    numbers: [1, 2.5, 1e21, 1e-7],
    nullable: null,
    flags: [true, null],
    price: 0,
  })
  const refused: [unknown, RegExp][] = [
    [{ name: null }, /name must be integer; name must be string/],
    [{ name: { a: 1 } }, /name must be integer; name must be string/],
    [{ numbers: [[1]] }, /numbers\/0 must be number/],
    [{ price: Number.NaN }, /price must be number \(NaN: JSON has no form for it/],
    [{ name: new Date(Number.NaN) }, /name must be string \(a Date/],
    [{ name: '\ud800' }, /name contains characters that are not text/],
    [{ name: () => 1 }, /name must be integer \(a function: JSON has no form for it\)/],
  ]
  for (const [input, message] of refused)
    await assert.rejects(client.kinds(input as never), error => {
      assert.ok(error instanceof VALIDATION_FAILED)
      assert.match(error.message, message)
      return true
    })
  for (const text of [{}, [1], Number.NaN, null, undefined, since, { toJSON: () => 'own' }])
    await assert.rejects(client.text({ text: text as never }), VALIDATION_FAILED)
})

test('headers are merged by name, whatever their spelling; a body that JSON cannot carry is not sent', async () => {
  const client = createHttpClient(shop, {
    baseUrl: service.url,
    headers: { 'X-A': '1', 'Content-Type': 'application/json' },
  })
  const type = 'application/json'
  assert.deepEqual(await client.body(1), { body: 1, type, a: '1' })
  const headers = { 'x-a': '2', 'CONTENT-TYPE': 'application/json; charset=utf-8' }
  assert.deepEqual(await client.body([1], { headers }), { body: [1], type, a: '2' })
  assert.deepEqual(await client.body(1, { headers: { 'x-b': undefined } }), { body: 1, type, a: '1' })
  // Undefined removes the client's header.
  for (const name of ['x-a', 'X-A', 'X-a'])
    assert.deepEqual(await client.body(1, { headers: { [name]: undefined } }), { body: 1, type })
  const withNone = createHttpClient(shop, { baseUrl: service.url, headers: { 'X-A': '1', 'x-a': undefined } })
  assert.deepEqual(await withNone.body(1), { body: 1, type })
  assert.deepEqual(await withNone.body(1, { headers: { 'X-A': '3' } }), { body: 1, type, a: '3' })
  await assert.rejects(client.body(1, { headers: { 'x-a': 'a\nb' } }), TypeError)
  await assert.rejects(client.body({ a: [1n] }), error => {
    assert.ok(error instanceof VALIDATION_FAILED)
    assert.match(error.message, /does not match its schema: a\/0 has no form in JSON \(a bigint/)
    return true
  })
})
