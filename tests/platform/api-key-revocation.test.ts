// CI alone: packages/gateway/tests/revocation.test.ts and revocation-nats.test.ts show it for the gateway by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DEMO_ADMIN } from '@blog-platform/auth-service/demo'
import { type KongConfig, startGateway } from '@tsmicro/gateway'
import { natsUrlFor } from '../support/nats-users.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { send } from '../support/send.ts'
import { until } from '../support/until.ts'

let platform: Platform
before(async () => {
  platform = await startPlatform({ patient: true })
})
after(() => platform?.[Symbol.asyncDispose]())

/** The platform's own configuration, except that answers about keys are cached for an hour: only the event can end them sooner. */
function forgetful(): KongConfig {
  const check = { name: 'apikey-auth', config: { verify_urls: ['http://auth:8001/verify/apikey'], cache_ttl: 3600 } }
  const service = { name: 'auth', url: 'http://auth:8001', plugins: [check], routes: [{ paths: ['/auth'] }] }
  return { _format_version: '3.0', services: [service] }
}

test('a key that an administrator revokes is refused by a gateway that remembers it for an hour', async () => {
  const lines: string[] = []
  const keep = (_fields: object, message: string) => void lines.push(message)
  await using gateway = await startGateway({
    config: forgetful(),
    port: 0,
    resolve: { 'auth:8001': new URL(platform.authUrl).host },
    nats: natsUrlFor('gateway', platform.nats.url),
    log: { info: keep, warn: keep, error: keep },
  })
  await until('the gateway listens', () => lines.includes('listening for revoked API keys'))
  const headers = { 'x-api-key': platform.apiKey }
  const json = { email: DEMO_ADMIN.email, password: DEMO_ADMIN.password }
  const { data } = await send(platform.authUrl, 'POST /signin/basic', { json })
  const { accessToken } = (data as { tokens: { accessToken: string } }).tokens
  const admin = { ...headers, authorization: `Bearer ${accessToken}` }
  const made = await send(gateway.url, 'POST /auth/admin/apikeys', { headers: admin, json: { comment: 'short-lived' } })
  const { id, key } = made.data as { id: string; key: string }
  const status = async (apiKey: string) =>
    (await send(gateway.url, 'GET /auth/.well-known/jwks.json', { headers: { 'x-api-key': apiKey } })).status
  assert.deepEqual([await status(key), await status(platform.apiKey)], [200, 200])
  assert.equal((await send(gateway.url, `DELETE /auth/admin/apikeys/${id}`, { headers: admin })).status, 200)
  await until('the key is refused', async () => (await status(key)) === 401)
  assert.equal(await status(platform.apiKey), 200)
})
