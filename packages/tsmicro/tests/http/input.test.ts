import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import type { Answer } from '../support/json.ts'
import { build } from '../support/service.ts'

const Page = Type.Object({
  page: Type.Integer({ minimum: 1, default: 1 }),
  exact: Type.Optional(Type.Boolean()),
  tag: Type.Optional(Type.Array(Type.String())),
  size: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(2)])),
  word: Type.Optional(Type.Union([Type.Integer(), Type.String()])),
})
const Body = Type.Object({ name: Type.String({ minLength: 2 }), count: Type.Optional(Type.Integer({ default: 3 })) })
const Anything = Type.Unknown()
const shop = contract('shop', {
  list: procedure({ http: 'GET /list', access: 'key', input: Page, output: Anything }),
  one: procedure({
    http: 'GET /one/:id',
    access: 'key',
    input: Type.Object({ id: Type.Integer() }),
    output: Anything,
  }),
  text: procedure({
    http: 'GET /text/:text',
    access: 'key',
    input: Type.Object({ text: Type.String() }),
    output: Anything,
  }),
  make: procedure({ http: 'POST /make', access: 'key', input: Body, output: Anything }),
  drop: procedure({
    http: 'DELETE /drop/:id',
    access: 'key',
    input: Type.Object({ id: Type.Integer() }),
    output: Anything,
  }),
  act: procedure({ http: 'POST /act', access: 'key', output: Anything }),
  small: procedure({ http: 'POST /small', access: 'key', input: Anything, output: Anything, bodyLimitBytes: 10 }),
  any: procedure({ http: 'POST /any', access: 'key', input: Anything, output: Anything }),
  whole: procedure({
    http: 'PUT /whole/:id',
    nats: 'whole',
    access: 'key',
    input: Type.Object({ id: Type.Integer(), on: Type.Optional(Type.Boolean()) }),
    output: Anything,
  }),
  wholeGet: procedure({
    http: 'GET /whole/:id',
    access: 'key',
    input: Type.Object({ id: Type.Integer(), page: Type.Integer({ default: 1 }) }),
    output: Anything,
  }),
})
const { service } = build({
  natsUrl: 'nats://127.0.0.1:1',
  handlers: [
    implement(shop, {
      list: ({ input }) => input,
      one: ({ input }) => input,
      text: ({ input }) => input,
      make: ({ input }) => input,
      drop: ({ input }) => input,
      act: () => 'acted',
      small: ({ input }) => input,
      any: ({ input }) => input,
      whole: ({ input }) => input,
      wholeGet: ({ input }) => input,
    }),
  ],
})

const get = async (url: string) => (await service.inject({ url })).json<Answer>()
const post = async (
  url: string,
  payload: string | object,
  type = 'application/json',
  method: 'POST' | 'PUT' | 'DELETE' = 'POST',
) => (await service.inject({ method, url, payload, headers: { 'content-type': type } })).json<Answer>()
const paths = (answer: Answer) => answer.details?.map(({ path }) => path)

test('query and params are converted to the schema’s types; defaults are filled in', async () => {
  assert.deepEqual((await get('/list')).data, { page: 1 })
  assert.deepEqual((await get('/list?page=2&exact=true&tag=a&size=2&word=7')).data, {
    page: 2,
    exact: true,
    tag: ['a'],
    size: 2,
    word: '7',
  })
  assert.deepEqual((await get('/list?tag=a&tag=b')).data, { page: 1, tag: ['a', 'b'] })
  assert.deepEqual((await get('/one/-5')).data, { id: -5 })
  assert.deepEqual((await post('/make', { name: 'ab' })).data, { name: 'ab', count: 3 })
})

test('what does not look like the wanted type is refused, with its path', async () => {
  const answer = await get('/list?page=1.5&exact=1')
  assert.deepEqual([answer.status, answer.error], [400, 'VALIDATION_FAILED'])
  assert.deepEqual(paths(answer), ['page', 'exact'])
  for (const bad of ['0x10', ' 1', '1 ', '', '01', '+1', 'NaN', 'Infinity', '1.5', '99999999999999999999'])
    assert.equal((await get(`/one/${encodeURIComponent(bad)}`)).status, 400, JSON.stringify(bad))
  assert.deepEqual(paths(await get('/list?page=1&page=2')), ['page'])
})

test('unknown fields are refused and named; all fields are checked at once', async () => {
  assert.deepEqual((await get('/list?pgae=2')).details, [{ path: '', message: 'unknown field "pgae"' }])
  assert.deepEqual((await get('/one/1?x=1')).details, [{ path: '', message: 'unknown field "x"' }])
  assert.deepEqual((await get('/list?__proto__=1')).details, [{ path: '', message: 'unknown field "__proto__"' }])
  assert.deepEqual(paths(await post('/make', { name: 'a', count: 'x', y: 1 }))?.sort(), ['', 'count', 'name'])
  assert.deepEqual(paths(await post('/whole/x', { on: 1, y: 1 }, 'application/json', 'PUT'))?.sort(), ['', 'id', 'on'])
})

test('a field in the wrong place is refused and named, even if it is in its own place as well', async () => {
  const query = async (url: string, payload: object) => post(url, payload)
  assert.deepEqual((await query('/make?name=ab', { name: 'ab' })).details, [
    { path: 'name', message: 'is not read from the query' },
  ])
  assert.deepEqual(paths(await query('/make?name=ab&count=1&x=1', {})), ['name', 'count', ''])
  assert.deepEqual(paths(await query('/act?a=1', {})), [''])
})

test('a body that is not declared is refused; an empty one counts as no body', async () => {
  assert.deepEqual(paths(await post('/act', { a: 1 })), [''])
  assert.deepEqual(paths(await post('/act', '[]')), [''])
  assert.deepEqual(paths(await post('/act', 'null')), undefined)
  assert.equal((await post('/act', '')).data, 'acted')
  const drop = (payload: string) => post('/drop/1', payload, 'application/json', 'DELETE')
  for (const bad of ['[]', '5', '"x"', '{"a":1}']) assert.deepEqual(paths(await drop(bad)), [''], bad)
  assert.deepEqual(paths(await drop('{"id":2}')), ['id'])
  for (const none of ['', '{}', 'null']) assert.deepEqual((await drop(none)).data, { id: 1 }, none)
  assert.deepEqual(paths(await post('/make', '')), [''])
})

test('fields of the path, the rest in body or query, make one input; only text is converted', async () => {
  const put = (payload: string | object) => post('/whole/5', payload, 'application/json', 'PUT')
  assert.deepEqual((await put({ on: true })).data, { id: 5, on: true })
  assert.deepEqual((await put('')).data, { id: 5 })
  assert.deepEqual(paths(await put({ on: 'true' })), ['on'])
  assert.deepEqual(paths(await put({ id: 6 })), ['id'])
  for (const bad of ['[]', '5', '"x"', '[1]']) assert.deepEqual(paths(await put(bad)), [''], bad)
  assert.deepEqual((await get('/whole/5?page=2')).data, { id: 5, page: 2 })
  assert.deepEqual((await get('/whole/5')).data, { id: 5, page: 1 })
  assert.deepEqual(paths(await get('/whole/5?id=6')), ['id'])
})

test('only JSON is accepted: 415 for another type, 400 for invalid JSON', async () => {
  const json = '{"name":"ab"}'
  for (const type of [
    'text/plain',
    'application/xml',
    'multipart/form-data',
    'application/x-www-form-urlencoded',
    '💥',
  ])
    assert.equal((await post('/make', json, type)).error, 'UNSUPPORTED_MEDIA_TYPE', type)
  assert.equal((await post('/make', json, 'application/json; charset=utf-8')).status, 200)
  for (const bad of ['{', '{"name":"ab"', "{'a':1}", 'undefined', '{"a":1}}', '\u0000'])
    assert.equal((await post('/make', bad)).error, 'MALFORMED_REQUEST', bad)
})

test('prototype pollution, NUL and lone surrogates do not come in', async () => {
  for (const [bad, path, name] of [
    ['{"__proto__":{"a":1}}', '', '__proto__'],
    ['{"a":{"\\u005f_proto__":1}}', 'a', '__proto__'],
    ['{"constructor":{"prototype":{"a":1}}}', 'constructor', 'prototype'],
  ] as const)
    assert.deepEqual((await post('/any', bad)).details, [{ path, message: `unknown field "${name}"` }], bad)
  const fine = { constructor: 'prototype', prototype: '__proto__', a: ['__proto__'] }
  assert.deepEqual((await post('/any', fine)).data, fine)
  for (const [bad, path] of [
    ['{"a":"\\u0000"}', 'a'],
    ['["\\ud800"]', '0'],
    ['{"\\udfff":1}', ''],
    ['"a\\ud83dx"', ''],
  ] as const)
    assert.deepEqual(
      (await post('/any', bad)).details,
      [{ path, message: 'contains characters that are not text' }],
      bad,
    )
  assert.deepEqual(paths(await post('/any', '{"a":[9007199254740993]}')), ['a/0'])
  assert.deepEqual((await post('/any', '{"a":"\\ud83d\\ude00"}')).data, { a: '😀' })
  for (const url of ['/text/%00', '/text/%ED%A0%80', '/text/%zz', '/list?tag=%00', '/list?%00=1'])
    assert.equal((await get(url)).status, 400, url)
  assert.deepEqual((await get('/text/%F0%9F%98%80')).data, { text: '😀' })
  assert.equal(({} as { a?: unknown }).a, undefined)
})

test('too large is 413, for the service and for one procedure', async () => {
  assert.equal((await post('/any', JSON.stringify('x'.repeat(10_000_000)))).error, 'PAYLOAD_TOO_LARGE')
  assert.equal((await post('/small', '"12345678901"')).error, 'PAYLOAD_TOO_LARGE')
  assert.equal((await post('/small', '"12345"')).data, '12345')
})

test('long path parameters, deep nesting and huge numbers of fields are answered', async () => {
  assert.equal((await get(`/text/${'x'.repeat(500)}`)).status, 200)
  assert.ok([404, 400].includes((await get(`/text/${'x'.repeat(501)}`)).status))
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  assert.ok((await post('/any', deep)).status >= 200)
  assert.equal((await post('/make', deep)).status, 400)
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`f${i}`, 1])))
  const answer = await post('/make', wide)
  assert.equal(answer.status, 400)
  assert.ok(JSON.stringify(answer).length < 5000)
})
