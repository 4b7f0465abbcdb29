import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import type { Gateway, KongConfig, KongHealthChecks, KongService, KongTarget } from '../src/index.ts'
import {
  askAdmin,
  configOf,
  deadPort,
  gatewayFor,
  hang,
  send,
  type TestServer,
  tcpUpstream,
  textOf,
  until,
  upstream,
} from './support.ts'

const NO_PEER = 'failure to get a peer from the ring-balancer'

/** A service behind an upstream with these targets, each with its weight. */
function pooled(
  targets: readonly (string | KongTarget)[],
  healthchecks: KongHealthChecks = {},
  service: Partial<KongService> = {},
): KongConfig {
  return {
    ...configOf([{ name: 'api', host: 'pool', routes: [{ paths: ['/'] }], ...service }]),
    upstreams: [
      {
        name: 'pool',
        healthchecks,
        targets: targets.map(target => (typeof target === 'string' ? { target } : target)),
      },
    ],
  }
}

/** An upstream that answers its name, and records what reached it. */
async function named(name: string, handler?: RequestListener): Promise<TestServer & { readonly seen: string[] }> {
  const seen: string[] = []
  const server = await upstream((req, res) => {
    if (req.url !== '/ready') seen.push(`${req.method} ${req.url}`)
    if (handler) handler(req, res)
    else req.resume().on('end', () => res.end(name))
  })
  return Object.assign(server, { seen })
}

async function health(gateway: Gateway): Promise<Record<string, string>> {
  const { data } = (await (await askAdmin(gateway, '/upstreams/pool/health')).json()) as {
    data: { target: string; health: string }[]
  }
  return Object.fromEntries(data.map(({ target, health: state }) => [target, state]))
}

test('requests are distributed by weight, to each target under its own name; a weight of 0 gets none', async () => {
  await using server = await upstream((req, res) => res.end(req.headers.host))
  const config = pooled([
    { target: 'a:8001', weight: 3 },
    { target: 'b:80', weight: 1 },
    { target: 'c:8003', weight: 0 },
  ])
  const resolve = { 'a:8001': server.authority, 'b:80': server.authority, 'c:8003': server.authority }
  await using gateway = await gatewayFor(config, { resolve })
  const hosts: string[] = []
  for (let i = 0; i < 8; i++) hosts.push((await send(gateway.port)).text)
  assert.deepEqual(hosts.sort(), ['a:8001', 'a:8001', 'a:8001', 'a:8001', 'a:8001', 'a:8001', 'b', 'b'])
})

test('a target that accepts no connection: every request goes to another one, with its body', async () => {
  await using good = await upstream((req, res) => void textOf(req).then(text => res.end(text)))
  await using gateway = await gatewayFor(pooled([`127.0.0.1:${await deadPort()}`, good.authority]))
  for (const method of ['GET', 'POST', 'PUT', 'PATCH']) {
    for (let i = 0; i < 2; i++) {
      const { status, text } = await send(gateway.port, method === 'GET' ? {} : { method, body: 'whole' })
      assert.deepEqual([method, status, text], [method, 200, method === 'GET' ? '' : 'whole'])
    }
  }
})

test('a target that breaks off: idempotent requests go to another one with their complete body, the others are sent once', async () => {
  let broken = 0
  await using bad = await tcpUpstream(socket => {
    // After some of the body, so that part of it has already been sent.
    socket.on('data', chunk => {
      if (!String(chunk).includes('x')) return
      broken += 1
      socket.destroy()
    })
  })
  await using good = await upstream((req, res) => void textOf(req).then(text => res.end(String(text.length))))
  await using gateway = await gatewayFor(pooled([bad.authority, good.authority]))
  const body = 'x'.repeat(300_000)
  for (const method of ['PUT', 'DELETE']) {
    for (let i = 0; i < 2; i++) {
      const { status, text } = await send(gateway.port, { method, body, headers: { 'transfer-encoding': 'chunked' } })
      assert.deepEqual([method, status, text], [method, 200, '300000'])
    }
  }
  assert.equal(broken, 2)
  for (const method of ['POST', 'PATCH']) {
    const statuses = []
    for (let i = 0; i < 2; i++) statuses.push((await send(gateway.port, { method, body })).status)
    assert.deepEqual([method, statuses.sort()], [method, [200, 502]])
  }
  assert.equal(broken, 4)
})

test('a body too long to keep is sent once', async () => {
  await using bad = await tcpUpstream(socket => {
    let bytes = 0
    socket.on('data', chunk => {
      bytes += chunk.length
      if (bytes > 2_000_000) socket.destroy()
    })
  })
  await using gateway = await gatewayFor(
    pooled([bad.authority, { target: bad.authority.replace('127.0.0.1', 'localhost') }]),
  )
  assert.equal((await send(gateway.port, { method: 'PUT', body: Buffer.alloc(3_000_000) })).status, 502)
})

test('a target that is too slow: a GET goes to another one, once; a POST does not', async () => {
  await using slow = await named('slow', hang)
  await using good = await named('good')
  await using gateway = await gatewayFor(pooled([slow.authority, good.authority], {}, { read_timeout: 100 }))
  for (let i = 0; i < 2; i++) assert.equal((await send(gateway.port)).text, 'good')
  const posts = [await send(gateway.port, { method: 'POST' }), await send(gateway.port, { method: 'POST' })]
  assert.deepEqual(posts.map(({ status }) => status).sort(), [200, 504])
  assert.equal(slow.seen.length, 2)
})

test("passive checks: enough failures in a row take a target out; without any target, 503 in Kong's form", async () => {
  let status = 200
  await using first = await named('first', (_req, res) => res.writeHead(status).end())
  const passive = { unhealthy: { http_failures: 2, tcp_failures: 1 } }
  const dead = `127.0.0.1:${await deadPort()}`
  const config = pooled([first.authority, dead], { passive })
  await using gateway = await gatewayFor(config, { adminPort: 0 })
  assert.deepEqual(await health(gateway), { [first.authority]: 'HEALTHY', [dead]: 'HEALTHY' })
  for (let i = 0; i < 2; i++) assert.equal((await send(gateway.port)).status, 200)
  assert.deepEqual(await health(gateway), { [first.authority]: 'HEALTHY', [dead]: 'UNHEALTHY' })
  status = 404
  for (let i = 0; i < 3; i++) assert.equal((await send(gateway.port)).status, 404, 'no failure of the target')
  status = 503
  for (let i = 0; i < 2; i++) assert.equal((await send(gateway.port)).status, 503)
  const before = first.seen.length
  const { status: refused, json } = await send(gateway.port)
  assert.deepEqual([refused, json.message], [503, NO_PEER])
  assert.equal(first.seen.length, before)
  assert.deepEqual(await health(gateway), { [first.authority]: 'UNHEALTHY', [dead]: 'UNHEALTHY' })
})

test('without checks, a failing target stays in; without targets, 503', async () => {
  await using first = await named('first', (_req, res) => res.writeHead(500).end())
  await using gateway = await gatewayFor(pooled([first.authority]), { adminPort: 0 })
  for (let i = 0; i < 20; i++) assert.equal((await send(gateway.port)).status, 500)
  assert.deepEqual(await health(gateway), { [first.authority]: 'HEALTHCHECKS_OFF' })
  await using empty = await gatewayFor(pooled([]))
  const { status, json } = await send(empty.port)
  assert.deepEqual([status, json.message], [503, NO_PEER])
})

test('a threshold: if too little of the weight is healthy, no target gets requests', async () => {
  await using good = await named('good')
  const dead = { target: `127.0.0.1:${await deadPort()}`, weight: 300 }
  const checks = { passive: { unhealthy: { tcp_failures: 1 } }, threshold: 50 }
  await using gateway = await gatewayFor(pooled([good.authority, dead], checks))
  await until(async () => (await send(gateway.port)).status === 503, 'the dead one is noticed')
  assert.equal((await send(gateway.port)).json.message, NO_PEER)
})

const ACTIVE: KongHealthChecks = {
  active: {
    http_path: '/ready',
    // A busy machine may take a second for an answer.
    timeout: 3,
    healthy: { interval: 0.02, successes: 2 },
    unhealthy: { interval: 0.02, http_failures: 2, tcp_failures: 1, timeouts: 1 },
  },
}

test('active checks take out a target that is not ready, hangs or is gone, without a request; it comes back by itself', async () => {
  let answer: RequestListener = (_req, res) => res.end('first')
  await using first = await named('first', (req, res) => answer(req, res))
  await using second = await named('second')
  await using gateway = await gatewayFor(pooled([first.authority, second.authority], ACTIVE), { adminPort: 0 })
  const is = (state: string) => async () => (await health(gateway))[first.authority] === state
  const faults: RequestListener[] = [
    (req, res) => res.writeHead(req.url === '/ready' ? 503 : 200).end('first'),
    (req, res) => void (req.url === '/ready' ? hang(req, res) : res.end('first')),
    (req, res) => void (req.url === '/ready' ? req.socket.destroy() : res.end('first')),
  ]
  const healthy = answer
  for (const fault of faults) {
    answer = fault
    await until(is('UNHEALTHY'), 'it is taken out')
    for (let i = 0; i < 4; i++) assert.equal((await send(gateway.port)).text, 'second')
    answer = healthy
    await until(is('HEALTHY'), 'it is back')
    const texts = new Set<string>()
    for (let i = 0; i < 4; i++) texts.add((await send(gateway.port)).text)
    assert.deepEqual(texts, new Set(['first', 'second']))
  }
})

test('the admin API takes a target out and puts it back', async () => {
  await using first = await named('first')
  await using second = await named('second')
  await using gateway = await gatewayFor(pooled([first.authority, second.authority]), { adminPort: 0 })
  const put = async (state: string) => {
    const path = `/upstreams/pool/targets/${encodeURIComponent(first.authority)}/${state}`
    return (await askAdmin(gateway, path, { method: 'PUT' })).status
  }
  const texts = async () => {
    const all = new Set<string>()
    for (let i = 0; i < 4; i++) all.add((await send(gateway.port)).text)
    return all
  }
  assert.equal(await put('unhealthy'), 204)
  assert.deepEqual(await texts(), new Set(['second']))
  assert.equal(await put('healthy'), 204)
  assert.deepEqual(await texts(), new Set(['first', 'second']))
  assert.equal(await put('sick'), 404)

  const port = Number(new URL(gateway.adminUrl ?? '').port)
  const authorization = `Bearer ${gateway.adminToken}`
  const status = async (path: string, method = 'GET') =>
    (await send(port, { path, method, headers: { authorization } })).status
  const { json } = await send(port, { path: '/upstreams', headers: { authorization } })
  assert.deepEqual(json.data, [{ name: 'pool', algorithm: 'round-robin' }])
  assert.equal(await status('/upstreams/none/health'), 404)
  assert.equal(await status('/upstreams/pool/targets/x:1/healthy', 'PUT'), 404)
  assert.equal(await status('/upstreams', 'POST'), 405)
  assert.equal(await status('/%zz'), 404)
})

test('if a verifier is an upstream, the API-key check works while one of its targets is up', async () => {
  await using verifier = await upstream((_req, res) => res.end('{"valid":true,"id":"c","permissions":[]}'))
  await using service = await named('service')
  const dead = `127.0.0.1:${await deadPort()}`
  const plugins = [{ name: 'apikey-auth', config: { verify_urls: ['http://auth:8001/verify'], cache_ttl: 0 } }]
  const config: KongConfig = {
    ...configOf([{ name: 'api', url: `http://${service.authority}`, routes: [{ paths: ['/'], plugins }] }]),
    upstreams: [{ name: 'auth', targets: [{ target: dead }, { target: verifier.authority }] }],
  }
  await using gateway = await gatewayFor(config)
  for (let i = 0; i < 4; i++) assert.equal((await send(gateway.port, { headers: { 'x-api-key': 'k' } })).status, 200)
})
