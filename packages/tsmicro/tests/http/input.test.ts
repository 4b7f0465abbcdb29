import assert from 'node:assert/strict'
import { test } from 'node:test'
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
  list: procedure({ http: 'GET /list', access: 'key', query: Page, response: Anything }),
  one: procedure({
    http: 'GET /one/:id',
    access: 'key',
    params: Type.Object({ id: Type.Integer() }),
    response: Anything,
  }),
  text: procedure({
    http: 'GET /text/:text',
    access: 'key',
    params: Type.Object({ text: Type.String() }),
    response: Anything,
  }),
  make: procedure({ http: 'POST /make', access: 'key', body: Body, response: Anything }),
  act: procedure({ http: 'POST /act', access: 'key', response: Anything }),
  small: procedure({ http: 'POST /small', access: 'key', body: Anything, response: Anything, bodyLimitBytes: 10 }),
  any: procedure({ http: 'POST /any', access: 'key', body: Anything, response: Anything }),
  whole: procedure({
    http: 'PUT /whole/:id',
    nats: 'whole',
    access: 'key',
    request: Type.Object({ id: Type.Integer(), on: Type.Optional(Type.Boolean()) }),
    response: Anything,
  }),
  wholeGet: procedure({
    http: 'GET /whole/:id',
    access: 'key',
    request: Type.Object({ id: Type.Integer(), page: Type.Integer({ default: 1 }) }),
    response: Anything,
  }),
})
const { service } = build({
  contracts: [shop],
  natsUrl: 'nats://127.0.0.1:1',
  routes: routes =>
    routes.implement(shop, {
      list: ({ query }) => query,
      one: ({ params }) => params,
      text: ({ params }) => params,
      make: ({ body }) => body,
      act: () => 'acted',
      small: ({ body }) => body,
      any: ({ body }) => body,
      whole: ({ data }) => data,
      wholeGet: ({ data }) => data,
    }),
  endpoints: nats => nats.implement(shop, { whole: ({ data }) => data }),
})

const get = async (url: string) => (await service.inject({ url })).json<Answer>()
const post = async (
  url: string,
  payload: string | object,
  type = 'application/json',
  method: 'POST' | 'PUT' = 'POST',
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
  const answer = await get('/list?page=1e3&exact=1')
  assert.deepEqual([answer.status, answer.error], [400, 'VALIDATION_FAILED'])
  assert.deepEqual(paths(answer), ['query/page', 'query/exact'])
  for (const bad of ['0x10', ' 1', '1 ', '', '01', '+1', 'NaN', 'Infinity', '1.5', '99999999999999999999'])
    assert.equal((await get(`/one/${encodeURIComponent(bad)}`)).status, 400, JSON.stringify(bad))
  assert.deepEqual(paths(await get('/list?page=1&page=2')), ['query/page'])
})

test('unknown fields are refused and named; all parts are checked at once', async () => {
  assert.deepEqual((await get('/list?pgae=2')).details, [{ path: 'query', message: 'unknown field "pgae"' }])
  assert.deepEqual((await get('/one/1?x=1')).details, [{ path: 'query', message: 'unknown field "x"' }])
  assert.deepEqual((await get('/list?__proto__=1')).details, [{ path: 'query', message: 'unknown field "__proto__"' }])
  const both = await service.inject({ method: 'POST', url: '/make?x=1', payload: { name: 'a', y: 1 } })
  assert.deepEqual(paths(both.json())?.sort(), ['body', 'body/name', 'query'])
})

test('a body where none is declared is refused; an empty one is none', async () => {
  assert.deepEqual(paths(await post('/act', { a: 1 })), [''])
  assert.deepEqual(paths(await post('/act', '[]')), [''])
  assert.deepEqual(paths(await post('/act', 'null')), undefined)
  assert.equal((await post('/act', '')).data, 'acted')
  assert.deepEqual(paths(await post('/make', '')), ['body'])
})

test('a whole request: fields of the path, the rest in body or query; only text is converted', async () => {
  const put = (payload: string | object) => post('/whole/5', payload, 'application/json', 'PUT')
  assert.deepEqual((await put({ on: true })).data, { id: 5, on: true })
  assert.deepEqual((await put('')).data, { id: 5 })
  assert.deepEqual(paths(await put({ on: 'true' })), ['data/on'])
  assert.deepEqual(paths(await put({ id: 6 })), ['data/id'])
  for (const bad of ['[]', '5', '"x"', '[1]']) assert.deepEqual(paths(await put(bad)), ['data'], bad)
  assert.deepEqual((await get('/whole/5?page=2')).data, { id: 5, page: 2 })
  assert.deepEqual((await get('/whole/5')).data, { id: 5, page: 1 })
  assert.deepEqual(paths(await get('/whole/5?id=6')), ['data/id'])
})

test('only JSON is taken: 415 for anything else, 400 for what is no JSON', async () => {
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
  for (const bad of ['{"__proto__":{"a":1}}', '{"a":{"__proto__":1}}', '{"constructor":{"prototype":{"a":1}}}'])
    assert.equal((await post('/any', bad)).status, 400, bad)
  for (const bad of ['{"a":"\\u0000"}', '["\\ud800"]', '{"\\udfff":1}', '"a\\ud83dx"'])
    assert.equal((await post('/any', bad)).error, 'MALFORMED_REQUEST', bad)
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
