import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { gatewaySignature } from 'tsmicro/internal'
import Type from 'typebox'
import { build } from '../support/service.ts'

const SECRET = 'what-the-gateway-signs-requests-with'
const VERIFY = 'what-the-gateway-shows-for-questions'

const shop = contract('shop', {
  who: procedure({ http: 'GET /who', access: 'open', output: Type.Any() }),
  inner: procedure({ http: 'GET /inner', access: 'internal', output: Type.Any() }),
})

function shopWith(gateway: boolean) {
  const { service } = build({
    http: { ...(gateway ? { gateway: { secret: SECRET, verifySecret: VERIFY } } : {}) },
    handlers: [
      implement(shop, {
        who: ({ context }) => ({ consumer: context.consumer ?? 'nobody' }),
        inner: ({ context }) => ({ consumer: context.consumer ?? 'nobody' }),
      }),
    ],
  })
  return async (url: string, headers: Record<string, string>) => {
    const answer = await service.inject({ url, headers })
    return answer.statusCode === 200 ? answer.json().data.consumer : answer.json().error
  }
}

const signed = (headers: Record<string, string>) => ({
  ...headers,
  'x-gateway-signature': gatewaySignature(SECRET, { method: 'GET', url: '/who', headers }),
})

test('a handler is told whose key it was when the gateway has signed it', async () => {
  const call = shopWith(true)
  const both = { 'x-consumer-id': 'key-1', 'x-consumer-permissions': 'READ,WRITE' }
  assert.deepEqual(await call('/who', signed(both)), { id: 'key-1', permissions: ['READ', 'WRITE'] })
  assert.deepEqual(await call('/who', signed({ 'x-consumer-id': 'key-1' })), { id: 'key-1', permissions: [] })
  assert.deepEqual(await call('/who', signed({ 'x-consumer-id': 'key-1', 'x-consumer-permissions': '' })), {
    id: 'key-1',
    permissions: [],
  })
})

test('a request without a key has no consumer', async () => {
  const call = shopWith(true)
  for (const headers of [{}, { 'x-consumer-id': '' }, { 'x-consumer-permissions': 'READ' }])
    assert.equal(await call('/who', signed(headers as Record<string, string>)), 'nobody')
})

test('what the signature does not cover is refused', async () => {
  const call = shopWith(true)
  const told = { 'x-consumer-id': 'key-1', 'x-consumer-permissions': 'READ' }
  assert.equal(await call('/who', { ...signed({}), ...told }), 'GATEWAY_REQUIRED')
  assert.equal(await call('/who', { ...signed(told), 'x-consumer-permissions': 'WRITE' }), 'GATEWAY_REQUIRED')
})

test('what nobody has signed tells nothing: without a gateway, and of internal calls', async () => {
  const told = { 'x-consumer-id': 'key-1', 'x-consumer-permissions': 'READ' }
  assert.equal(await shopWith(false)('/who', signed(told)), 'nobody')
  assert.equal(await shopWith(true)('/inner', { ...told, 'x-verify-secret': VERIFY }), 'nobody')
})
