import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, test } from 'node:test'
import { implement, SERVICE_UNAVAILABLE, TOO_MANY_REQUESTS, VALIDATION_FAILED } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { ApiError, contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { serve } from '../support/service.ts'

const { SOLD_OUT } = defineErrors({
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Integer() }) },
})
const shop = contract('shop', {
  find: procedure({
    http: 'GET /find/:id',
    access: 'key',
    input: Type.Object({
      id: Type.String(),
      tag: Type.Optional(Type.Array(Type.String())),
      page: Type.Integer({ default: 1 }),
    }),
    output: Type.Any(),
    errors: { SOLD_OUT },
  }),
  make: procedure({
    http: 'POST /make',
    access: 'key',
    input: z.object({ n: z.coerce.number().min(1), when: z.iso.date().optional() }),
    output: z.object({ n: z.number() }),
  }),
  whole: procedure({
    http: 'PUT /whole/:id',
    access: 'key',
    input: Type.Object({ id: Type.Integer(), on: Type.Boolean() }),
    output: Type.Any(),
  }),
  bare: procedure({ http: 'GET /bare', access: 'key', output: Type.Any(), bare: true }),
  remove: procedure({ http: 'DELETE /remove', access: 'key' }),
})
const { service } = await serve({
  handlers: [
    implement(shop, {
      find: ({ input, errors, context }) => {
        if (input.id === 'sold') throw new errors.SOLD_OUT({ left: 3 })
        return { ...input, key: context.headers['x-api-key'] }
      },
      make: ({ input }) => ({ n: input.n, secret: 1 }),
      whole: ({ input }) => input,
      bare: () => [1],
      remove: () => {},
    }),
  ],
})
after(() => service.stop())
const client = createHttpClient(shop, { baseUrl: `${service.url}/`, headers: { 'x-api-key': 'k' } })

test('input goes where the contract says, the data comes back', async () => {
  assert.deepEqual(await client.find({ id: 'a/b?ü', tag: ['x', 'y&'], page: 2 }), {
    id: 'a/b?ü',
    tag: ['x', 'y&'],
    page: 2,
    key: 'k',
  })
  assert.deepEqual(await client.whole({ id: 5, on: true }), { id: 5, on: true })
  assert.deepEqual(await client.bare({}), [1])
  assert.equal(await client.remove({}), undefined)
})

test('Standard Schema at the HTTP door: converted, checked, pruned', async () => {
  assert.deepEqual(await client.make({ n: 5 }), { n: 5 })
  await assert.rejects(client.make({ n: 0, when: 'x' }), error => {
    assert.ok(error instanceof VALIDATION_FAILED)
    assert.deepEqual(
      error.data.map(({ path }) => path),
      ['n', 'when'],
    )
    return true
  })
})

test('failures are thrown as the declared classes with their data', async () => {
  await assert.rejects(client.find({ id: 'sold', page: 1 }), error => {
    assert.ok(error instanceof SOLD_OUT)
    assert.deepEqual(error.data, { left: 3 })
    return true
  })
})

test('a parameter that would change the path is not sent', async () => {
  for (const id of ['', '.', '..', '\ud800'])
    await assert.rejects(client.find({ id, page: 1 }), VALIDATION_FAILED, JSON.stringify(id))
})

test('what is not our service: nothing there, garbage, another’s errors', async () => {
  const answers: [number, string, string][] = [
    [200, 'text/html', '<html>'],
    [200, 'text/plain', ''],
    [502, 'text/html', '<html>'],
    [429, 'application/json', '{"message":"slow down","error":"TOO_MANY_REQUESTS"}'],
    [429, 'application/json', '{"message":"API rate limit exceeded","request_id":"1"}'],
    [418, 'application/json', '{"error":"constructor"}'],
  ]
  const other = createServer((_request, response) => {
    const [status, type, body] = answers.shift() ?? [200, '', '']
    response.writeHead(status, { 'content-type': type, 'retry-after': '4' }).end(body)
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const strange = createHttpClient(shop, { baseUrl: `http://127.0.0.1:${port}` })
  const failure = () => strange.remove({}).catch((error: ApiError) => error)
  assert.ok((await failure()) instanceof SERVICE_UNAVAILABLE)
  assert.ok((await failure()) instanceof SERVICE_UNAVAILABLE)
  const gateway = await failure()
  assert.ok(gateway instanceof ApiError)
  assert.deepEqual([gateway.code, gateway.status], ['HTTP_ERROR', 502])
  for (const message of ['slow down', 'API rate limit exceeded']) {
    const limited = await failure()
    assert.ok(limited instanceof TOO_MANY_REQUESTS)
    assert.deepEqual([limited.message, limited.retryAfterSeconds], [message, 4])
  }
  const odd = await failure()
  assert.ok(odd instanceof ApiError && odd.status === 418)
  await new Promise(resolve => other.close(resolve))
  assert.ok((await failure()) instanceof SERVICE_UNAVAILABLE)
})

test('a signal ends a call with its reason', async () => {
  const reason = new Error('enough')
  await assert.rejects(client.remove({}, { signal: AbortSignal.abort(reason) }), reason)
})
