import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement, StartError } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { gatewaySignature } from 'tsmicro/internal'
import Type from 'typebox'
import { build, serve, type TestService, type TestServiceOptions } from '../support/service.ts'

const SECRET = 'what-the-gateway-signs-requests-with'
const shop = contract('shop', { where: procedure({ http: 'GET /where', access: 'open', output: Type.Any() }) })
const resources = new AsyncDisposableStack()
after(() => resources.disposeAsync())

async function shopWith(http: TestServiceOptions['http']) {
  const made = resources.use(
    await serve({
      http: { ...http },
      handlers: [implement(shop, { where: ({ context }) => context.clientAddress ?? 'nowhere' })],
      routes: routes => {
        routes.fastify.get('/raw', async request => [request.ip, request.host, request.protocol])
      },
    }),
  )
  return made
}
const where = async (made: TestService, headers: Record<string, string> = {}) => {
  const answer = (await (await fetch(`${made.service.url}/where`, { headers })).json()) as {
    data?: string
    error?: string
  }
  return answer.data ?? answer.error
}
const forged = {
  'x-real-ip': '203.0.113.7',
  'x-forwarded-for': '203.0.113.8',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  forwarded: 'for=203.0.113.9',
}

test('a stranger’s headers about its address are not trusted, with an optional gateway or without one', async () => {
  for (const http of [
    {},
    { gateway: { secret: SECRET, required: false } },
    { trustedProxies: ['10.0.0.0/8', '::1'] },
  ]) {
    const made = await shopWith(http)
    assert.equal(await where(made, forged), '127.0.0.1', JSON.stringify(http))
    const [ip, host, protocol] = (await (
      await fetch(`${made.service.url}/raw`, { headers: forged })
    ).json()) as string[]
    assert.deepEqual([ip, host, protocol], ['127.0.0.1', new URL(made.service.url).host, 'http'])
  }
})

test('a declared proxy is trusted: its x-real-ip, or else the last address in x-forwarded-for that is not a proxy’s', async () => {
  for (const proxy of ['127.0.0.1', '127.0.0.0/8', '::ffff:127.0.0.1']) {
    const made = await shopWith({ trustedProxies: [proxy, '10.0.0.0/8'] })
    assert.equal(await where(made, { 'x-real-ip': '2001:db8::1' }), '2001:db8::1', proxy)
    assert.equal(await where(made, { 'x-forwarded-for': '1.1.1.1, 203.0.113.8, 10.1.2.3' }), '203.0.113.8', proxy)
    for (const junk of ['', 'localhost', '1.2.3.4, 5.6.7.8', "' or 1=1"]) {
      assert.equal(await where(made, { 'x-real-ip': junk }), '127.0.0.1', junk)
      assert.equal(await where(made, { 'x-forwarded-for': `1.2.3.4, ${junk || '-'}x` }), '127.0.0.1', junk)
    }
    assert.equal(await where(made), '127.0.0.1')
  }
})

test('what the gateway has signed is trusted, whatever proxies are', async () => {
  for (const required of [true, false]) {
    const made = await shopWith({ gateway: { secret: SECRET, required } })
    const headers = { 'x-real-ip': '203.0.113.7' }
    const signature = gatewaySignature(SECRET, { method: 'GET', url: '/where', headers })
    assert.equal(await where(made, { ...headers, 'x-gateway-signature': signature }), '203.0.113.7')
    const changed = { 'x-real-ip': '203.0.113.8', 'x-gateway-signature': signature }
    assert.equal(await where(made, changed), 'GATEWAY_REQUIRED')
    // Not signed, so not the gateway's word, whatever it says of the chain before it.
    const chain = { ...headers, 'x-forwarded-for': '1.2.3.4', 'x-gateway-signature': signature }
    assert.equal(await where(made, chain), '203.0.113.7')
  }
})

test('a trusted proxy that is not an address is named at the start', () => {
  for (const proxy of ['', 'proxy.example', '10.0.0.0/33', '::1/129', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', '*'])
    assert.throws(
      () => build({ http: { trustedProxies: ['10.0.0.1', proxy] } }),
      error =>
        error instanceof StartError &&
        error.message.startsWith(`trusted proxy ${JSON.stringify(proxy)}: write an address`),
      proxy,
    )
})
