import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { after, before, test } from 'node:test'
import type { KongPlugin, KongService } from '../src/index.ts'
import { configOf, gatewayFor, type SendOptions, send, type TestServer, upstream } from './support.ts'

let service: TestServer
let reached = 0
before(async () => {
  service = await upstream((_req, res) => {
    reached += 1
    res.setHeader('ratelimit-limit', 'theirs').end('ok')
  })
})
after(() => service[Symbol.asyncDispose]())

const limit = (config: object): KongPlugin => ({ name: 'rate-limiting', config })

function serviceAt(name: string, plugins: KongPlugin[], routePlugins: KongPlugin[] = []): KongService {
  const url = `http://${service.authority}`
  return { name, url, plugins, routes: [{ name: `${name}-route`, paths: [`/${name}`], plugins: routePlugins }] }
}

async function statuses(port: number, times: number, options: SendOptions = {}): Promise<number[]> {
  const found: number[] = []
  for (let i = 0; i < times; i++) found.push((await send(port, { path: '/a', ...options })).status)
  return found
}

test('requests that pass get header fields, the others 429 with Retry-After', async () => {
  await using gateway = await gatewayFor(configOf([serviceAt('a', [limit({ year: 2 })])]))
  reached = 0
  const passed = await send(gateway.port, { path: '/a' })
  assert.equal(passed.status, 200)
  assert.equal(passed.headers['x-ratelimit-limit-year'], '2')
  assert.equal(passed.headers['x-ratelimit-remaining-year'], '1')
  assert.equal(passed.headers['ratelimit-limit'], '2')
  assert.equal(passed.headers['ratelimit-remaining'], '1')
  assert.match(String(passed.headers['ratelimit-reset']), /^\d+$/)
  assert.equal(passed.headers['retry-after'], undefined)
  assert.ok(passed.rawHeaders.includes('X-RateLimit-Limit-Year'))
  assert.equal((await send(gateway.port, { path: '/a' })).headers['x-ratelimit-remaining-year'], '0')
  const refused = await send(gateway.port, { path: '/a' })
  assert.equal(refused.status, 429)
  assert.deepEqual(refused.json, {
    message: 'API rate limit exceeded',
    request_id: refused.headers['x-kong-request-id'],
  })
  assert.equal(refused.headers['x-ratelimit-remaining-year'], '0')
  assert.equal(refused.headers['retry-after'], refused.headers['ratelimit-reset'])
  assert.equal(reached, 2)
})

test('the error can be changed, and the header fields hidden', async () => {
  const config = { day: 1, year: 1, hide_client_headers: true, error_code: 503, error_message: 'Later, please' }
  await using gateway = await gatewayFor(configOf([serviceAt('a', [limit(config)])]))
  for (const status of [200, 503]) {
    const answer = await send(gateway.port, { path: '/a' })
    assert.equal(answer.status, status)
    const told = Object.keys(answer.headers).filter(name => /ratelimit-(?!limit$)|retry-after/.test(name))
    assert.deepEqual(told, [])
    if (status === 503) assert.equal(answer.json.message, 'Later, please')
  }
})

test('exact under concurrency: of 200 concurrent requests, 50 pass', async () => {
  await using gateway = await gatewayFor(configOf([serviceAt('a', [limit({ year: 50 })])]))
  reached = 0
  const answers = await Promise.all(Array.from({ length: 200 }, () => send(gateway.port, { path: '/a' })))
  assert.equal(answers.filter(({ status }) => status === 200).length, 50)
  assert.equal(answers.filter(({ status }) => status === 429).length, 150)
  assert.equal(reached, 50)
  const left = answers.filter(({ status }) => status === 200).map(({ headers }) => headers['ratelimit-remaining'])
  assert.equal(new Set(left).size, 50)
})

test('counters stay exact over reloads under load, also when routes move and limits change', async () => {
  const config = (limits: object, more: KongService[] = []) => configOf([...more, serviceAt('a', [], [limit(limits)])])
  await using gateway = await gatewayFor(config({ year: 60 }))
  const sending = Array.from({ length: 100 }, (_, i) =>
    send(gateway.port, { path: '/a', headers: { 'x-nr': String(i) } }),
  )
  for (let i = 0; i < 5; i++) await gateway.reload(config({ year: 60 }, i % 2 === 0 ? [serviceAt('b', [])] : []))
  const answers = await Promise.all(sending)
  assert.equal(answers.filter(({ status }) => status === 200).length, 60)
  await gateway.reload(config({ year: 62 }))
  assert.deepEqual(await statuses(gateway.port, 3), [200, 200, 429])
  // The config is refused, so the counters stay in use.
  await assert.rejects(gateway.reload(config({ year: 0 })))
  assert.deepEqual(await statuses(gateway.port, 1), [429])
  await gateway.reload(configOf([serviceAt('a', [])]))
  assert.deepEqual(await statuses(gateway.port, 1), [200])
})

test('each entry has its own counters, even if another is equal; only the most specific entry counts', async () => {
  const alike = limit({ year: 1 })
  await using gateway = await gatewayFor(
    configOf(
      [serviceAt('a', [alike]), serviceAt('b', [alike]), serviceAt('c', [alike], [limit({ year: 2 })])],
      [alike],
    ),
  )
  for (const path of ['/a', '/b']) assert.deepEqual(await statuses(gateway.port, 2, { path }), [200, 429])
  assert.deepEqual(await statuses(gateway.port, 3, { path: '/c' }), [200, 200, 429])
})

test('a global entry counts all services together, or each one with limit_by service', async () => {
  for (const [limitBy, second] of [
    ['ip', 429],
    ['consumer', 429],
    ['credential', 429],
    ['service', 200],
  ] as const) {
    const services = [serviceAt('a', []), serviceAt('b', [])]
    await using gateway = await gatewayFor(configOf(services, [limit({ year: 1, limit_by: limitBy })]))
    assert.deepEqual(await statuses(gateway.port, 2), [200, 429])
    assert.deepEqual(await statuses(gateway.port, 1, { path: '/b' }), [second], limitBy)
  }
})

test('by header: each value separately, and requests without the header by address', async () => {
  const config = { year: 1, limit_by: 'header', header_name: 'X-Tenant' }
  await using gateway = await gatewayFor(configOf([serviceAt('a', [limit(config)])]))
  for (const tenant of ['one', 'two', '127.0.0.1', 'long'.repeat(100)]) {
    assert.deepEqual(await statuses(gateway.port, 2, { headers: { 'x-tenant': tenant } }), [200, 429], tenant)
  }
  assert.deepEqual(await statuses(gateway.port, 2), [200, 429])
})

test('by path: that path for all clients together, other paths by address', async () => {
  const config = { year: 1, limit_by: 'path', path: '/a/login' }
  await using gateway = await gatewayFor(configOf([serviceAt('a', [limit(config)])]))
  assert.deepEqual(await statuses(gateway.port, 1, { path: '/a/x/../login' }), [200])
  assert.deepEqual(await statuses(gateway.port, 1, { path: '/a/login?a=b' }), [429])
  assert.deepEqual(await statuses(gateway.port, 2, { path: '/a/other' }), [200, 429])
})

// Elsewhere the loopback interface has one address.
test('by address: each address has its own counter', { skip: process.platform !== 'linux' }, async () => {
  await using gateway = await gatewayFor(configOf([serviceAt('a', [limit({ year: 1 })])]))
  const from = async (localAddress: string) => {
    const req = request({ host: '127.0.0.1', port: gateway.port, path: '/a', localAddress, agent: false }).end()
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    res.resume()
    return res.statusCode
  }
  assert.deepEqual([await from('127.0.0.1'), await from('127.0.0.1')], [200, 429])
  assert.deepEqual([await from('127.0.0.2'), await from('127.0.0.2')], [200, 429])
})
