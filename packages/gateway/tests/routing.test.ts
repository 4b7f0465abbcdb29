import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Gateway, KongRoute } from '../src/index.ts'
import { routeId, routePartId } from '../src/routing/route-order.ts'
import { GROUPS, type RoutingCase } from './routing-cases.ts'
import { configOf, echo, gatewayFor, recordingLog, send, type TestServer, upstream } from './support.ts'

let service: TestServer
before(async () => {
  service = await upstream(echo)
})
after(() => service[Symbol.asyncDispose]())

/** A gateway whose route `x` reaches the upstream's `/x`, so that the answer shows which route matched. */
function gatewayOf(routes: [string, KongRoute][]): Promise<Gateway> {
  const services = routes.map(([name, route]) => ({
    name,
    url: `http://${service.authority}/${name}`,
    routes: [route],
  }))
  return gatewayFor(configOf(services))
}

async function outcome(gateway: Gateway, [request, , headers = {}]: RoutingCase): Promise<string> {
  const [method, path] = request.split(' ')
  const { status, json } = await send(gateway.port, {
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path }),
    headers,
  })
  return status === 200 ? String(json.path).slice(1) : String(status)
}

for (const { rule, routes, cases, ordered } of GROUPS) {
  describe(rule, () => {
    let gateways: Gateway[] = []
    before(async () => {
      const entries = Object.entries(routes)
      const orders = ordered ? [entries] : [entries, entries.toReversed()]
      gateways = await Promise.all(orders.map(gatewayOf))
    })
    after(() => Promise.all(gateways.map(gateway => gateway.close())))
    for (const one of cases) {
      const [request, expected, headers] = one
      test(`${request}${headers === undefined ? '' : ` ${JSON.stringify(headers)}`}: ${expected}`, async () => {
        for (const gateway of gateways) {
          const found = await outcome(gateway, one)
          // If the case is not about the rest of the path, the route's name is enough.
          const whole = /[/?]/.test(expected) || /^\d+$/.test(expected)
          assert.equal(whole ? found : found.replace(/\/$/, ''), expected)
        }
      })
    }
  })
}

test("the gateway warns at the start if an open route comes before a guarded one, contrary to Kong's documentation", async () => {
  const guard = [{ name: 'apikey-auth', config: { verify_urls: [`http://${service.authority}`] } }]
  const open: KongRoute = { name: 'open', paths: ['~/shop/[a-z]+'] }
  const guarded: KongRoute = { name: 'guarded', paths: ['/shop'], methods: ['GET'], plugins: guard }
  const start = async (...routes: KongRoute[]) => {
    const log = recordingLog()
    const services = [{ name: 'api', url: `http://${service.authority}`, routes }]
    await using gateway = await gatewayFor(configOf(services), { log })
    const { status } = await send(gateway.port, { path: '/shop/things' })
    return [status, log.lines.filter(line => /"open\W+ is open and comes before \W+guarded/.test(line)).length]
  }
  assert.deepEqual(await start(open, guarded), [200, 1])
  // Each of these follows the documentation, or affects no request.
  assert.deepEqual(await start(open, { ...guarded, methods: ['PUT'] }), [200, 1])
  assert.deepEqual(await start({ ...open, methods: ['GET'] }, { ...guarded, methods: ['PUT'] }), [200, 0])
  assert.deepEqual(await start(open, { ...guarded, paths: ['/stock'] }), [200, 0])
  assert.deepEqual(await start(open, { name: 'guarded', paths: ['/shop'], plugins: guard }), [200, 0])
  assert.deepEqual(await start(open, { ...guarded, paths: ['~/shop/.*'] }), [401, 0])
  assert.deepEqual(await start({ ...open, plugins: guard }, guarded), [401, 0])
})

test("the gateway warns at the start if routes of different access come in another order than Kong's documentation says", async () => {
  const guardFor = (permission?: string, more: object = {}) => [
    { name: 'apikey-auth', config: { verify_urls: ['http://auth:8001'], ...(permission && { permission }), ...more } },
  ]
  const first: KongRoute = { name: 'first', paths: ['~/shop/[a-z]+'] }
  const second: KongRoute = { name: 'second', paths: ['/shop'], methods: ['GET'] }
  const warnings = async (one: KongRoute, other: KongRoute) => {
    const log = recordingLog()
    const services = [{ name: 'api', url: 'http://api', routes: [one, other] }]
    await using _gateway = await gatewayFor(configOf(services), { log })
    return log.lines.filter(line => line.includes('comes before'))
  }
  const guarded = await warnings({ ...first, plugins: guardFor('READ') }, { ...second, plugins: guardFor('WRITE') })
  assert.equal(guarded.length, 1)
  assert.match(
    guarded[0] ?? '',
    /first\W+ needs auth's API key for READ and comes before \W+second\W+, which needs auth's API key for WRITE/,
  )
  const closed = await warnings({ ...first, plugins: guardFor() }, second)
  assert.match(closed.join(), /first\W+ needs auth's API key and comes before \W+second\W+, which is open/)
  const anonymous = { anonymous_paths: ['/shop/a'] }
  assert.match(
    (
      await warnings({ ...first, plugins: guardFor('READ', anonymous) }, { ...second, plugins: guardFor('READ') })
    ).join(),
    /except for \/shop\/a/,
  )
  // How long a verdict is remembered makes no difference.
  assert.deepEqual(
    await warnings({ ...first, plugins: guardFor('READ', { cache_ttl: 1 }) }, { ...second, plugins: guardFor('READ') }),
    [],
  )
})

test('the exact match of a regular expression is stripped', async () => {
  await using gateway = await gatewayOf([['r', { paths: ['~/v\\d+/é?'] }]])
  assert.equal((await send(gateway.port, { path: '/v12/x/y' })).json.path, '/r/x/y')
  assert.equal((await send(gateway.port, { path: '/v12/%C3%A9x%C3%A9' })).json.path, '/r/x%C3%A9')
  assert.equal((await send(gateway.port, { path: '/v12/%ff' })).status, 404)
})

test('a host with a port, requested without one: the port of the connection counts', async () => {
  await using gateway = await gatewayOf([['none', { hosts: ['nobody.test'] }]])
  const routes = [{ hosts: [`p.test:${gateway.port}`] }]
  await gateway.reload(configOf([{ name: 'api', url: `http://${service.authority}`, routes }]))
  assert.equal((await send(gateway.port, { headers: { host: 'p.test' } })).status, 200)
  assert.equal((await send(gateway.port, { headers: { host: 'p.test:1' } })).status, 404)
})

test('a route for https only: 426, or a redirect to the same place', async () => {
  await using gateway = await gatewayOf([
    ['upgrade', { paths: ['/up'], protocols: ['https'] }],
    ['redirect', { paths: ['/re'], protocols: ['https'], https_redirect_status_code: 308 }],
  ])
  const upgrade = await send(gateway.port, { path: '/up' })
  assert.equal(upgrade.status, 426)
  assert.equal(upgrade.headers.upgrade, 'TLS/1.2, HTTP/1.1')
  assert.equal(upgrade.json.message, 'Please use HTTPS protocol')
  const redirect = await send(gateway.port, { path: '/re/../re/a%20b?c=%2F', headers: { host: 'X.test:8000' } })
  assert.deepEqual([redirect.status, redirect.text], [308, ''])
  assert.equal(redirect.headers.location, 'https://x.test/re/../re/a%20b?c=%2F')
})

test('the ids that Kong derives from names', () => {
  // Computed with another implementation of UUID version 5.
  assert.equal(routeId('blog.create'), '07de687a-1860-5193-a767-5f3d8fd5f909')
  assert.equal(routeId('two'), 'e0b0d1b3-a05e-5b17-bb4f-372aec007573')
  assert.equal(routePartId(routeId('two'), 2), '40d95fca-1052-5251-b5cc-6d26bf8a80a2')
})
