import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { build } from '../support/service.ts'

const { SOLD_OUT, HAUNTED } = defineErrors({
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Integer() }) },
  HAUNTED: { status: 503, message: 'Haunted' },
})
const Item = Type.Object({ id: Type.String(), price: Type.Number() })
const shop = contract('shop', {
  item: procedure({ http: 'GET /item', access: 'key', output: Item, message: 'Here it is' }),
  make: procedure({ http: 'POST /item', access: 'key', input: Item, output: Item, status: 201 }),
  remove: procedure({ http: 'DELETE /item', access: 'key' }),
  bare: procedure({ http: 'GET /bare', access: 'key', output: Item, bare: true }),
  bareNothing: procedure({ http: 'GET /bare/nothing', access: 'key', bare: true }),
  soldOut: procedure({ http: 'GET /sold-out', access: 'key', errors: { SOLD_OUT, HAUNTED } }),
  haunted: procedure({ http: 'GET /haunted', access: 'key', errors: { HAUNTED } }),
})

const { service } = build({
  handlers: [
    implement(shop, {
      item: () => ({ id: 'é"\u2028', price: 1.5 }),
      make: ({ input }) => input,
      remove: () => {},
      bare: () => ({ id: 'a', price: 1 }),
      bareNothing: () => {},
      soldOut: ({ errors }) => {
        throw new errors.SOLD_OUT({ left: 0 })
      },
      haunted: ({ errors }) => {
        throw new errors.HAUNTED(undefined, { retryAfterSeconds: 7, message: 'Haunted until midnight' })
      },
    }),
  ],
})

test('success: the envelope with the procedure’s message, status and data', async () => {
  const item = await service.inject({ url: '/item' })
  assert.equal(item.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(item.json(), {
    code: '10000',
    status: 200,
    message: 'Here it is',
    data: { id: 'é"\u2028', price: 1.5 },
  })
  const made = await service.inject({ method: 'POST', url: '/item', payload: { id: 'b', price: 2 } })
  assert.equal(made.statusCode, 201)
  assert.deepEqual(made.json(), { code: '10000', status: 201, message: 'Success', data: { id: 'b', price: 2 } })
})

test('success without data has no member for it', async () => {
  const { body } = await service.inject({ method: 'DELETE', url: '/item' })
  assert.equal(body, '{"code":"10000","status":200,"message":"Success"}')
})

test('bare: the response alone, or an empty body', async () => {
  assert.equal((await service.inject({ url: '/bare' })).body, '{"id":"a","price":1}')
  const nothing = await service.inject({ url: '/bare/nothing' })
  assert.deepEqual([nothing.statusCode, nothing.body], [200, ''])
})

test('failure: stable name, status in the body, request id, declared data', async () => {
  const answer = await service.inject({ url: '/sold-out', headers: { 'x-request-id': 'r-1' } })
  assert.equal(answer.statusCode, 409)
  assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(answer.json(), {
    code: '10001',
    status: 409,
    message: 'Sold out',
    error: 'SOLD_OUT',
    requestId: 'r-1',
    data: { left: 0 },
  })
})

test('an error may carry its own message and say when to retry', async () => {
  const answer = await service.inject({ url: '/haunted' })
  assert.equal(answer.headers['retry-after'], '7')
  assert.equal(answer.json().message, 'Haunted until midnight')
})

test('HEAD answers the headers of GET; a path that nobody has is 404', async () => {
  const head = await service.inject({ method: 'HEAD', url: '/item' })
  assert.deepEqual([head.statusCode, head.body], [200, ''])
  for (const [method, url] of [
    ['GET', '/nowhere'],
    ['POST', '/nowhere'],
    ['GET', '/item/'],
    ['OPTIONS', '/nowhere'],
    ['PUT', '/item%2f'],
  ] as const) {
    const answer = await service.inject({ method, url, payload: method === 'POST' ? 'x'.repeat(1_000_000) : '' })
    assert.deepEqual([answer.statusCode, answer.json().error], [404, 'ROUTE_NOT_FOUND'], `${method} ${url}`)
  }
})

test('a request id is taken over when it is harmless, else made; it is in every answer', async () => {
  const given = async (id: string | undefined, url = '/item') => {
    const answer = await service.inject({ url, headers: id === undefined ? {} : { 'x-request-id': id } })
    return String(answer.headers['x-request-id'])
  }
  assert.equal(await given('abc-123_~.X'), 'abc-123_~.X')
  assert.equal(await given('abc', '/nowhere'), 'abc')
  assert.equal(await given('abc', '/%zz'), 'abc')
  for (const bad of [undefined, '', 'a b', 'a"b', 'é', 'x'.repeat(129), '{}'])
    assert.match(await given(bad), /^[0-9a-f-]{36}$/)
})

test('an unsupported method gets a 405 that lists the supported ones; OPTIONS asks for them', async () => {
  const allow = 'GET, HEAD, POST, DELETE, OPTIONS'
  const sorted = (value: unknown) => String(value).split(', ').sort()
  for (const [method, url] of [
    ['PUT', '/item'],
    ['PATCH', '/item?a=1'],
    ['PUT', '/%69tem'],
  ] as const) {
    const answer = await service.inject({ method, url, payload: 'x'.repeat(1_000_000) })
    assert.deepEqual([answer.statusCode, answer.json().error], [405, 'METHOD_NOT_ALLOWED'], `${method} ${url}`)
    assert.deepEqual(sorted(answer.headers.allow), sorted(allow))
  }
  const head = await service.inject({ method: 'HEAD', url: '/health', payload: '' })
  assert.deepEqual([head.statusCode, head.body], [200, ''])
  const asked = await service.inject({ method: 'OPTIONS', url: '/item' })
  assert.deepEqual([asked.statusCode, asked.body, sorted(asked.headers.allow)], [204, '', sorted(allow)])
  for (const url of ['/health', '/openapi.json', '/health/ready'])
    assert.equal((await service.inject({ method: 'DELETE', url })).headers.allow, 'GET, HEAD, OPTIONS', url)
})
