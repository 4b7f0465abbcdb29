import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import rateLimit from '@fastify/rate-limit'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { bearer } from '../support/providers.ts'
import { build, serve, type TestService } from '../support/service.ts'

const shop = contract('shop', {
  mine: procedure({ http: 'GET /mine', access: 'user', output: Type.Any() }),
  odd: procedure({ http: 'GET /odd', access: 'open' }),
})
const failure = (fields: object, message = 'secret') => Object.assign(new Error(message), fields)
const throws: Record<string, () => unknown> = {
  object: () => ({ statusCode: 422 }),
  plain: () => failure({ statusCode: 422 }),
  status: () => failure({ status: 409 }),
  exposed: () => failure({ statusCode: 422, expose: true }, 'the name is taken'),
  hidden: () => failure({ statusCode: 422, expose: false }),
  teapot: () => failure({ statusCode: 418 }),
  unnamed: () => failure({ statusCode: 499 }),
  server: () => failure({ statusCode: 500 }),
  serverExposed: () => failure({ statusCode: 500, expose: true }),
  gateway: () => failure({ statusCode: 502 }),
  busy: () => failure({ statusCode: 503, headers: { 'retry-after': 7, 'x-a': ['b', 'c', {}, 'd\n'] } }),
  late: () => failure({ statusCode: 504 }),
  ok: () => failure({ statusCode: 200 }),
  text: () => failure({ statusCode: '422' }),
  words: () => failure({ statusCode: '422 or so', status: [422] }),
  boom: () => failure({ isBoom: true, output: { statusCode: 409, headers: { 'x-ok': 2 }, payload: {} } }),
  huge: () => failure({ statusCode: 1e9 }),
  challenge: () => failure({ statusCode: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } }),
  unsendable: () =>
    failure({
      statusCode: 409,
      headers: { 'x-a': 'a\r\nb: c', 'b d': 'x', 'content-length': 5, 'x-o': {}, 'x-ok': 1 },
    }),
  error: () => new Error('secret'),
  nothing: () => undefined,
  trap: () => new Proxy({}, { get: () => assert.fail('secret') }),
  getters: () => Object.defineProperty(new Error('x'), 'statusCode', { get: () => assert.fail('secret') }),
  hostile: () => Object.create(null),
}

let made: TestService
before(async () => {
  made = await serve({
    handlers: [
      implement(shop, {
        mine: ({ user }) => user.id,
        odd: () => {
          throw failure({ statusCode: 422, expose: true })
        },
      }),
    ],
    routes: routes => {
      const { fastify } = routes
      fastify.get<{ Params: { how: string } }>('/raw/:how', async request => {
        throw throws[request.params.how]?.()
      })
      fastify.get('/set', async (_request, reply) => {
        reply.code(409)
        throw new Error('secret')
      })
      fastify.get('/sent', (_request, reply) => void reply.code(410).send(new Error('secret')))
      fastify.get('/middle', (_request, reply) => {
        reply.send(
          Readable.from(
            (async function* () {
              yield 'hello'
              throw failure({ statusCode: 422 })
            })(),
          ),
        )
      })
      fastify.get('/begun', async (_request, reply) => {
        reply.raw.writeHead(200).write('hello')
        throw new Error('secret')
      })
      for (const hook of ['preSerialization', 'onSend'] as const) {
        fastify.register(async app => {
          app.addHook(hook, async request => {
            throw failure({ statusCode: Number((request.query as { status?: string }).status) })
          })
          app.get(`/hooked/${hook}`, async () => ({ fine: true }))
          app.get(`/hooked/${hook}/thrown`, async () => assert.fail('secret'))
        })
      }
      fastify.register(async app => {
        app.addHook('onSend', async () => {
          throw 'secret'
        })
        app.get('/hooked/text', async () => 'fine')
      })
      fastify.get('/header', async (_request, reply) => reply.header('x-a', 'secret\nb: c').send('fine'))
      fastify.post('/checked', { schema: { body: { type: 'object', required: ['a'] } } }, async () => 'fine')
      const headers = { type: 'object', required: ['X-Wanted'], properties: { 'X-Wanted': { maxLength: 3 } } }
      const response = { 200: { type: 'object', properties: { fine: { type: 'boolean' } } } }
      fastify.get('/headers', { schema: { headers, response } }, async () => ({ fine: true, secret: true }))
      fastify.register(async app => {
        await app.register(rateLimit, { max: 1, timeWindow: 60_000 })
        app.get('/limited', async () => 'fine')
      })
    },
  })
})
after(() => made.service.stop())

const get = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${made.service.url}${path}`, { headers })
  const text = await answer.text()
  assert.doesNotMatch(text, /secret/, path)
  return { status: answer.status, headers: answer.headers, body: JSON.parse(text) as Record<string, unknown> }
}

test('what a raw route throws keeps its status, in our envelope, and tells nothing that it does not expose', async () => {
  const expected: Record<string, [number, string]> = {
    object: [422, 'UNPROCESSABLE_ENTITY'],
    plain: [422, 'UNPROCESSABLE_ENTITY'],
    status: [409, 'CONFLICT'],
    exposed: [422, 'UNPROCESSABLE_ENTITY'],
    hidden: [422, 'UNPROCESSABLE_ENTITY'],
    text: [422, 'UNPROCESSABLE_ENTITY'],
    boom: [409, 'CONFLICT'],
    teapot: [418, 'IM_A_TEAPOT'],
    unnamed: [499, 'HTTP_499'],
    gateway: [502, 'BAD_GATEWAY'],
    busy: [503, 'SERVICE_UNAVAILABLE'],
    late: [504, 'DEADLINE_EXCEEDED'],
    challenge: [401, 'UNAUTHENTICATED'],
    unsendable: [409, 'CONFLICT'],
  }
  for (const how of Object.keys(throws)) {
    const { status, body, headers } = await get(`/raw/${how}`)
    assert.deepEqual([status, body.error], expected[how] ?? [500, 'INTERNAL'], how)
    assert.deepEqual([body.code, body.status, body.requestId], ['10001', status, headers.get('x-request-id')], how)
  }
  assert.equal((await get('/raw/exposed')).body.message, 'the name is taken')
  assert.equal((await get('/raw/hidden')).body.message, 'Unprocessable Entity')
  const { headers: busy } = await get('/raw/busy')
  assert.deepEqual([busy.get('retry-after'), busy.get('x-a')], ['7', 'b, c'])
  assert.equal((await get('/raw/challenge')).headers.get('www-authenticate'), 'Basic realm="x"')
  assert.equal((await get('/raw/boom')).headers.get('x-ok'), '2')
  const { headers } = await get('/raw/unsendable')
  assert.deepEqual([headers.get('x-ok'), headers.get('x-a'), headers.get('x-o')], ['1', null, null])
})

test('a status that the route had set counts when the error names none', async () => {
  assert.deepEqual([(await get('/set')).status, (await get('/set')).body.error], [409, 'CONFLICT'])
  assert.deepEqual([(await get('/sent')).status, (await get('/sent')).body.error], [410, 'GONE'])
})

const UNDECLARED = [500, 'INTERNAL']

test('a hook that fails again for the failure itself, and a header that cannot be sent: our envelope, nothing of the message', async () => {
  for (const path of ['/hooked/preSerialization', '/hooked/onSend', '/hooked/onSend/thrown']) {
    for (const told of [[422, 'UNPROCESSABLE_ENTITY'], UNDECLARED]) {
      const answer = await get(`${path}?status=${told[0]}`)
      // What the route itself threw comes first.
      assert.deepEqual([answer.status, answer.body.error], path.endsWith('thrown') ? UNDECLARED : told, path)
      assert.equal(answer.body.requestId, answer.headers.get('x-request-id'), path)
    }
  }
  assert.deepEqual([(await get('/hooked/text')).status, (await get('/hooked/text')).body.error], [500, 'INTERNAL'])
  assert.deepEqual([(await get('/header')).status, (await get('/header')).body.error], [500, 'INTERNAL'])
  assert.equal((await get('/raw/plain')).status, 422)
})

test('404 and 405 have the headers that plugins give to every answer, which browsers want; a route for all paths tells its methods', async () => {
  const service = (url: string) =>
    build({
      routes: ({ fastify }) => {
        fastify.addHook('onRequest', async (_request, reply) => void reply.header('access-control-allow-origin', '*'))
        fastify.options('*', async () => 'as @fastify/cors has it')
        fastify.get(url, async () => 'fine')
      },
    }).service
  const status = async (url: string, at: string) => {
    const { statusCode, headers } = await service(url).inject({ method: 'POST', url: at })
    assert.equal(headers['access-control-allow-origin'], '*')
    return [statusCode, headers.allow]
  }
  assert.deepEqual(await status('/a', '/nothing'), [404, undefined])
  assert.deepEqual(await status('/a', '/a'), [405, 'GET, HEAD, OPTIONS'])
  assert.deepEqual(await status('/*', '/any/where'), [405, 'GET, HEAD, OPTIONS'])
})

test('a procedure’s handler tells only what is declared, whatever status its error has', async () => {
  assert.deepEqual([(await get('/odd')).status, (await get('/odd')).body.error], [500, 'INTERNAL'])
})

test('plugins: a rate limit keeps its status and headers, a schema of a raw route its problems', async () => {
  assert.equal(await (await fetch(`${made.service.url}/limited`)).text(), 'fine')
  const { status, body, headers } = await get('/limited')
  assert.deepEqual([status, body.error], [429, 'TOO_MANY_REQUESTS'])
  assert.equal(headers.get('x-ratelimit-limit'), '1')
  assert.ok(Number(headers.get('retry-after')) > 0)
  const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
  const checked = await fetch(`${made.service.url}/checked`, json)
  const told = (await checked.json()) as { error: string; details: { path: string; message: string }[] }
  assert.deepEqual([checked.status, told.error], [400, 'VALIDATION_FAILED'])
  assert.deepEqual(told.details, [{ path: 'body', message: "must have required property 'a'" }])
})

test('a schema of a raw route: names of header fields in any case, and an answer without what is undeclared', async () => {
  assert.deepEqual((await get('/headers')).status, 400)
  assert.deepEqual((await get('/headers', { 'X-Wanted': 'much' })).status, 400)
  assert.deepEqual((await get('/headers', { 'X-WANTED': 'yes' })).body, { fine: true })
})

test('an answer that has begun is broken off, and the service lives', async () => {
  for (const path of ['/middle', '/begun']) {
    const answer = await fetch(`${made.service.url}${path}`)
    assert.equal(answer.status, 200)
    await assert.rejects(answer.text(), path)
  }
  assert.equal((await get('/mine', bearer('ann.READER'))).status, 200)
})

test('401 says how to be known, and whether a token that was shown is not good', async () => {
  const challenge = async (headers: Record<string, string>) => {
    const answer = await get('/mine', headers)
    assert.equal(answer.status, 401)
    return answer.headers.get('www-authenticate')
  }
  assert.equal(await challenge({}), 'Bearer realm="shop"')
  assert.equal(await challenge({ authorization: 'Basic YTpi' }), 'Bearer realm="shop"')
  assert.equal(await challenge(bearer('junk')), 'Bearer realm="shop", error="invalid_token"')
  assert.equal(await challenge({ authorization: 'bearer x y' }), 'Bearer realm="shop", error="invalid_token"')
  assert.equal((await get('/raw/plain')).headers.get('www-authenticate'), null)
})
