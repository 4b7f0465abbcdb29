import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AuthenticationProvider, type GatewayDoor, implement, StartError } from 'tsmicro'
import { createRoleAuthorization } from 'tsmicro/auth'
import { contract, procedure } from 'tsmicro/contract'
import { gatewaySignature } from 'tsmicro/internal'
import Type from 'typebox'
import { bearer, roles } from '../support/providers.ts'
import { build, serve, type TestServiceOptions } from '../support/service.ts'

const SECRET = 'what-the-gateway-signs-requests-with'
const VERIFY = 'what-the-gateway-shows-for-questions'
const shop = contract('shop', {
  free: procedure({ http: 'GET /free', access: 'open', output: Type.Any() }),
  keyed: procedure({ http: 'GET /keyed', access: 'key', output: Type.Any() }),
  mine: procedure({ http: 'GET /mine', access: 'user', output: Type.Any() }),
  write: procedure({ http: 'GET /write', access: roles.WRITER, output: Type.Any() }),
})
const inner = contract('shop', {
  inner: procedure({ http: 'GET /inner', access: 'internal', output: Type.Any() }),
})
let handled = 0
const handler = () => {
  handled += 1
  return 'handled'
}
const handlers = { free: handler, keyed: handler, mine: handler, write: handler }

function shopWith(gateway: GatewayDoor | undefined, more: TestServiceOptions = {}) {
  return build({
    http: gateway ? { gateway } : {},
    handlers: [implement(shop, handlers), implement(inner, { inner: handler })],
    ...more,
  })
}

const refuses = (gateway: GatewayDoor | undefined, pattern: RegExp, more?: TestServiceOptions) =>
  assert.throws(
    () => shopWith(gateway, more),
    error => {
      assert.ok(error instanceof StartError, String(error))
      assert.match(error.message, pattern)
      return true
    },
  )

async function ask(made: ReturnType<typeof build>, url: string, headers: Record<string, string> = {}) {
  const answer = await made.service.inject({ url, headers })
  return answer.statusCode === 200 ? 200 : `${answer.statusCode} ${answer.json().error}`
}
const signed = (url: string, headers: Record<string, string> = {}) => ({
  ...headers,
  'x-gateway-signature': gatewaySignature(SECRET, { method: 'GET', url, headers }),
})

test('an internal procedure over HTTP behind a gateway, and no secret of its own: the service does not start', () => {
  refuses(
    { secret: SECRET },
    /^shop.inner \(GET \/inner\): internal over HTTP, .*: give the gateway door a verifySecret/,
  )
})

test('secrets that keep nobody out are refused: empty, short, of other types', () => {
  for (const secret of ['', 'short', 'x'.repeat(31)]) {
    refuses({ secret, verifySecret: VERIFY }, /^the gateway's secret has fewer than 32 bytes/)
    refuses({ secret: SECRET, verifySecret: secret }, /^the gateway's verifySecret has fewer than 32 bytes/)
  }
  refuses({ secret: undefined as never, verifySecret: VERIFY }, /^the gateway's secret has fewer than 32 bytes/)
})

test('each access level behind a gateway: what opens it, and what does not', async () => {
  const made = shopWith({ secret: SECRET, verifySecret: VERIFY })
  const consumer = { 'x-consumer-id': 'key-1' }
  const refused = '403 GATEWAY_REQUIRED'
  const before = handled
  for (const url of ['/free', '/keyed', '/mine', '/write', '/inner']) {
    assert.equal(await ask(made, url), refused, url)
    assert.equal(await ask(made, url, { ...bearer('ann.ADMIN'), ...consumer }), refused, `${url}, unsigned`)
    assert.equal(await ask(made, url, { 'x-verify-secret': 'x' }), refused, `${url}, a wrong secret`)
    assert.equal(await ask(made, url, { 'x-verify-secret': '' }), refused, `${url}, an empty secret`)
  }
  // The gateway let it pass, but has checked no key: a route where somebody forgot the plugin.
  assert.equal(await ask(made, '/keyed', signed('/keyed')), refused)
  assert.equal(await ask(made, '/keyed', signed('/keyed', { 'x-consumer-id': '' })), refused)
  assert.equal(await ask(made, '/inner', signed('/inner', consumer)), refused)
  assert.equal(await ask(made, '/mine', signed('/mine', consumer)), '401 UNAUTHENTICATED')
  assert.equal(await ask(made, '/write', signed('/write', { ...bearer('ann.READER'), ...consumer })), '403 FORBIDDEN')
  assert.equal(handled, before)
  assert.equal(await ask(made, '/free', signed('/free')), 200)
  assert.equal(await ask(made, '/keyed', signed('/keyed', consumer)), 200)
  assert.equal(await ask(made, '/mine', signed('/mine', bearer('ann.READER'))), 200)
  assert.equal(await ask(made, '/write', signed('/write', bearer('ann.WRITER'))), 200)
  assert.equal(await ask(made, '/inner', { 'x-verify-secret': VERIFY }), 200)
})

test('a gateway that is not required: secrets that were given count nevertheless', async () => {
  const made = shopWith({ secret: SECRET, verifySecret: VERIFY, required: false })
  assert.equal(await ask(made, '/keyed'), 200)
  assert.equal(await ask(made, '/inner'), '403 GATEWAY_REQUIRED')
  assert.equal(await ask(made, '/inner', { 'x-verify-secret': VERIFY }), 200)
  assert.equal(await ask(made, '/keyed', { 'x-gateway-signature': 'v1.1.x' }), '403 GATEWAY_REQUIRED')
  assert.equal(await ask(made, '/keyed', signed('/keyed')), '403 GATEWAY_REQUIRED')
  assert.equal(await ask(made, '/keyed', signed('/keyed', { 'x-consumer-id': 'a' })), 200)
})

test('a service that others can reach says what is open to them', async () => {
  const warned = async (http: TestServiceOptions['http']) => {
    await using made = await serve({
      ...(http ? { http } : {}),
      handlers: [implement(shop, handlers), implement(inner, { inner: handler })],
    })
    return made.log.at('warn').map(({ fields }) => fields.procedures)
  }
  assert.deepEqual(await warned({ host: '0.0.0.0' }), [['shop.keyed (GET /keyed)', 'shop.inner (GET /inner)']])
  assert.deepEqual(await warned({ host: '127.0.0.1' }), [])
  assert.deepEqual(await warned({ host: '0.0.0.0', gateway: { secret: SECRET, verifySecret: VERIFY } }), [])
})

test('without the provider that a procedure needs the service does not start, at either door', async () => {
  refuses(
    undefined,
    /^shop.mine asks for a user: give the module `authentication`, a provider with the method authenticate/,
    { authentication: {} as never },
  )
  const both = contract('shop', {
    write: procedure({ nats: 'write', access: roles.WRITER, input: Type.Object({}), output: Type.Any() }),
  })
  for (const [authentication, authorization, missing] of [
    [{}, { authorize: async () => {} }, 'authentication'],
    [{ authenticate: async () => ({ id: 'a' }) }, {}, 'authorization'],
  ] as const) {
    assert.throws(
      () =>
        build({
          natsUrl: 'nats://127.0.0.1:1',
          authentication: authentication as AuthenticationProvider,
          authorization: authorization as never,
          handlers: [implement(both, { write: handler })],
        }),
      { name: 'StartError', message: new RegExp(`^shop.write asks for a role: give the module .${missing}.`) },
    )
  }
})

test('a provider that answers nobody, or no, lets nobody in', async () => {
  const before = handled
  for (const user of [undefined, null, {}, { id: '' }, { id: 1 }, 'ann']) {
    const made = shopWith(undefined, { authentication: { authenticate: async () => user as never } })
    assert.equal(await ask(made, '/mine', bearer('a')), '500 INTERNAL', JSON.stringify(user))
  }
  const no = shopWith(undefined, { authorization: { authorize: async () => false as never } })
  assert.equal(await ask(no, '/write', bearer('ann.WRITER')), '403 FORBIDDEN')
  for (const answer of [false, undefined, null, 0, '', 'no', { valid: false }]) {
    const authorization = createRoleAuthorization({ hasRole: async () => answer as never })
    const made = shopWith(undefined, { authorization })
    assert.equal(await ask(made, '/write', bearer('ann.WRITER')), '403 FORBIDDEN', JSON.stringify(answer))
  }
  assert.equal(handled, before)
})
