import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement, SERVICE_UNAVAILABLE, VALIDATION_FAILED } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { authentication, bearer, roles } from '../support/providers.ts'
import { build } from '../support/service.ts'

const shop = contract('shop', {
  mine: procedure({
    http: 'POST /mine',
    access: 'user',
    input: Type.Object({ a: Type.Integer() }),
    output: Type.Any(),
  }),
  write: procedure({ http: 'GET /write', access: roles.WRITER, output: Type.Any() }),
  inner: procedure({ http: 'GET /inner', access: 'internal' }),
  free: procedure({ http: 'GET /free', access: 'open', output: Type.Any() }),
})
const { service, log } = build({
  authentication: {
    async authenticate(token, context) {
      if (token === 'down') throw new SERVICE_UNAVAILABLE(undefined, { retryAfterSeconds: 2 })
      if (token === 'broken') throw new Error('secret detail')
      if (token === 'invalid') throw new VALIDATION_FAILED([{ path: 'token', message: 'of an inner call' }])
      if (token === 'never') return new Promise(() => {})
      return authentication.authenticate(token, context)
    },
  },
  handlerTimeoutMs: 300,
  handlers: [
    implement(shop, {
      mine: ({ user, context }) => [user.id, context.user?.id],
      write: ({ user }) => user.id,
      inner: () => {},
      free: ({ user }) => user === undefined,
    }),
  ],
})

const call = async (url: string, headers: Record<string, string> = {}, payload?: string) => {
  const sent = payload === undefined ? {} : { method: 'POST' as const, payload }
  const answer = await service.inject({ url, headers: { 'content-type': 'application/json', ...headers }, ...sent })
  return [answer.statusCode, answer.json().error ?? answer.json().data]
}

test('who is not known is told so before anything of the body is read', async () => {
  for (const headers of [
    {},
    { authorization: 'Basic YTpi' },
    { authorization: 'Bearer' },
    bearer('x y'),
    bearer('junk'),
  ]) {
    assert.deepEqual(await call('/mine', headers as Record<string, string>, '{"not json'), [401, 'UNAUTHENTICATED'])
  }
  assert.deepEqual(await call('/mine', { 'content-type': 'text/plain' }, 'x'), [401, 'UNAUTHENTICATED'])
  assert.deepEqual(await call('/mine', bearer('ann.READER'), '{"not json'), [400, 'MALFORMED_REQUEST'])
  assert.deepEqual(await call('/mine', bearer('ann.READER'), '{"a":1}'), [200, ['ann', 'ann']])
})

test('a role: that one or a higher one', async () => {
  assert.deepEqual(await call('/write'), [401, 'UNAUTHENTICATED'])
  assert.deepEqual(await call('/write', bearer('ann.READER')), [403, 'FORBIDDEN'])
  assert.deepEqual(await call('/write', bearer('ann.WRITER')), [200, 'ann'])
  assert.deepEqual(await call('/write', bearer('ann.ADMIN')), [200, 'ann'])
})

test('a provider that cannot answer is 503 or 504, never 401; one that breaks is 500 without detail', async () => {
  assert.deepEqual(await call('/write', bearer('down')), [503, 'SERVICE_UNAVAILABLE'])
  assert.deepEqual(await call('/write', bearer('never')), [504, 'DEADLINE_EXCEEDED'])
  for (const token of ['broken', 'invalid']) {
    const answer = await service.inject({ url: '/write', headers: bearer(token) })
    assert.deepEqual([answer.statusCode, answer.json().error], [500, 'INTERNAL'])
    assert.doesNotMatch(answer.body, /secret|inner/)
  }
  assert.equal(log.at('error').length, 2)
})

test('internal: there for the network, not there through a gateway', async () => {
  assert.equal((await call('/inner'))[0], 200)
  for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host', 'x-forwarded-proto'])
    assert.deepEqual(await call('/inner', { [header]: '1.2.3.4' }), [404, 'ROUTE_NOT_FOUND'], header)
})

test('open: a token is neither asked for nor looked at', async () => {
  assert.deepEqual(await call('/free', bearer('broken')), [200, true])
})
