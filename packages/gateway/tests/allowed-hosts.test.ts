import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { hostsOf } from '../src/command/run.ts'
import type { Gateway, KongConfig } from '../src/index.ts'
import { configOf, gatewayFor, rawExchange, send, type TestServer, upstream } from './support.ts'

let service: TestServer
let gateway: Gateway
const reached: (string | undefined)[] = []
before(async () => {
  service = await upstream((req, res) => {
    reached.push(req.url)
    res.end('ok')
  })
  gateway = await gatewayFor(platform(), {
    hosts: hostsOf('127.0.0.1', { GATEWAY_HOSTS: 'dev.test, *.dev.test' }) ?? [],
  })
})
after(async () => {
  await gateway?.close()
  await service?.[Symbol.asyncDispose]()
})

function platform(): KongConfig {
  const routes = [
    { name: 'plain', paths: ['/plain'], strip_path: false },
    { name: 'cors', paths: ['/cors'], strip_path: false, plugins: [{ name: 'cors', config: {} }] },
    { name: 'named', paths: ['/named'], hosts: ['shop.test', '*.shop.test', 'any.*'], strip_path: false },
  ]
  return configOf([{ name: 'api', url: `http://${service.authority}`, routes }])
}

const status = async (headers: Record<string, string>, path = '/plain', method = 'GET') =>
  (await send(gateway.port, { path, method, headers })).status

test('requests to loopback names, configured names and hosts of routes are answered', async () => {
  for (const host of [
    'localhost',
    'LocalHost',
    '127.0.0.1',
    '[::1]',
    'dev.test',
    'a.dev.test',
    'shop.test',
    'b.shop.test',
  ])
    for (const port of ['', ':1', `:${gateway.port}`])
      assert.equal(await status({ host: host + port }), 200, host + port)
  const old = await rawExchange(gateway.port, 'GET /plain HTTP/1.0\r\n\r\n')
  assert.match(old, /^HTTP\/1\.1 200 /)
})

test('a request to any other name gets a 421 that says what to do, and reaches no service', async () => {
  reached.length = 0
  for (const host of [
    'evil.test',
    'localhost.evil.test',
    'evil-localhost',
    'xdev.test',
    'dev.test.evil.test',
    'any.evil.test',
    '127.0.0.1.evil.test',
    '192.168.1.9',
    '[::2]',
  ]) {
    for (const path of ['/plain', '/cors', '/named', '/nothing', '//plain']) {
      const { status, json } = await send(gateway.port, { path, headers: { host: `${host}:8000`, 'x-api-key': 'k' } })
      assert.equal(status, 421, `${host} ${path}`)
      assert.match(String(json.message), /answers to localhost, 127\.0\.0\.1, .* start it with GATEWAY_HOSTS=/)
    }
  }
  // Both the host of the target and the Host header count.
  for (const [target, host] of [
    ['evil.test', 'localhost'],
    ['localhost', 'evil.test'],
  ]) {
    const absolute = `GET http://${target}/plain HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
    assert.match(await rawExchange(gateway.port, absolute), /^HTTP\/1\.1 421 /)
  }
  const socket =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGVzdA==\r\n'
  const upgrade = `GET /plain HTTP/1.1\r\nHost: evil.test\r\n${socket}\r\n`
  assert.match(await rawExchange(gateway.port, upgrade), /^HTTP\/1\.1 421 /)
  assert.deepEqual(reached, [])
})

test('pages of other origins get 403, unless the route has the cors plugin or their host is allowed', async () => {
  const foreign = [
    { origin: 'https://evil.test' },
    { origin: 'null' },
    { origin: 'file://' },
    { origin: 'not an origin' },
    { origin: 'http://localhost.evil.test' },
    { origin: 'http://127.0.0.1:3000@evil.test' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  ]
  reached.length = 0
  for (const headers of foreign) {
    for (const method of ['GET', 'POST'])
      assert.equal(await status({ ...headers, 'x-api-key': 'k' }, '/plain', method), 403)
  }
  assert.deepEqual(reached, [])
  for (const headers of foreign) assert.equal(await status(headers, '/cors'), 200)
  const preflight = { origin: 'https://evil.test', 'access-control-request-method': 'PUT' }
  const { status: allowed, headers } = await send(gateway.port, {
    method: 'OPTIONS',
    path: '/cors',
    headers: preflight,
  })
  assert.deepEqual([allowed, headers['access-control-allow-origin']], [200, '*'])
  for (const headers of [
    { origin: 'http://localhost:3000' },
    { origin: 'http://127.0.0.1:5173' },
    { origin: 'http://[::1]:5173' },
    { origin: 'https://www.dev.test' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ])
    assert.equal(await status(headers), 200, JSON.stringify(headers))
})

test('a WebSocket of a page of another origin is refused', async () => {
  const socket =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGVzdA==\r\n'
  const upgrade = `GET /plain HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.test\r\n${socket}\r\n`
  assert.match(await rawExchange(gateway.port, upgrade), /^HTTP\/1\.1 403 /)
})

test('GATEWAY_HOSTS: needed only for a gateway that other machines can reach', () => {
  const own = ['localhost', '127.0.0.1', '[::1]']
  assert.deepEqual(hostsOf('127.0.0.1', {}), own)
  assert.deepEqual(hostsOf('::1', {}), own)
  assert.deepEqual(hostsOf('127.0.0.2', {}), [...own, '127.0.0.2'])
  assert.deepEqual(hostsOf('localhost', { GATEWAY_HOSTS: ' shop.test,,*.shop.test ' }), [
    ...own,
    'shop.test',
    '*.shop.test',
  ])
  assert.equal(hostsOf('0.0.0.0', {}), undefined)
  assert.deepEqual(hostsOf('0.0.0.0', { GATEWAY_HOSTS: 'shop.test' }), [...own, 'shop.test'])
  assert.equal(hostsOf('127.0.0.1', { GATEWAY_HOSTS: '*' }), undefined)
})

test('without allowed hosts, every request is answered; a malformed host prevents the start', async () => {
  await using open = await gatewayFor(platform())
  const { status } = await send(open.port, {
    path: '/plain',
    headers: { host: 'evil.test', origin: 'http://evil.test' },
  })
  assert.equal(status, 200)
  for (const host of ['http://a.test', 'a.test:80', 'a.*', ''])
    await assert.rejects(gatewayFor(platform(), { hosts: [host] }), /must look like shop\.test/)
})
