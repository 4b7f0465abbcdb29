import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KongPlugin } from '../src/index.ts'
import type { AccessPlugin, AccessRequest } from '../src/plugins/plugin.ts'
import { responsePhase } from '../src/proxy/handler.ts'
import { GOOD, honest } from './apikey-support.ts'
import {
  configOf,
  deadPort,
  echo,
  gatewayFor,
  rawExchange,
  recordingLog,
  type SendOptions,
  send,
  textOf,
  upstream,
} from './support.ts'

const ORIGIN = 'https://app.test'
const CORS: KongPlugin = { name: 'cors', config: { origins: [ORIGIN], exposed_headers: ['X-Id'] } }
const CORRELATION: KongPlugin = {
  name: 'correlation-id',
  config: { generator: 'uuid', header_name: 'X-Id', echo_downstream: true },
}
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** `/api` leads to a service with every plugin, `/dead` to a service that is down. */
async function fullGateway() {
  const auth = await upstream((req, res) => {
    void textOf(req).then(text => honest((JSON.parse(text) as { key: string }).key, res, req))
  })
  const service = await upstream(echo)
  const plugins: KongPlugin[] = [
    { name: 'rate-limiting', config: { year: 3 } },
    { name: 'request-size-limiting', config: { allowed_payload_size: 10, size_unit: 'bytes' } },
    { name: 'apikey-auth', config: { verify_urls: [`http://${auth.authority}/verify`], timeout_ms: 10_000 } },
    CORS,
    CORRELATION,
  ]
  const gateway = await gatewayFor(
    configOf([
      {
        name: 'api',
        url: `http://${service.authority}`,
        plugins,
        routes: [
          { paths: ['/api'] },
          { paths: ['/odd'], plugins: [{ name: 'strip-prefix', config: { prefix: '/even' } }] },
        ],
      },
      {
        name: 'dead',
        url: `http://127.0.0.1:${await deadPort()}`,
        retries: 0,
        plugins: [CORS, CORRELATION],
        routes: [{ paths: ['/dead'] }],
      },
    ]),
  )
  const dispose = async () => {
    await gateway.close()
    await auth[Symbol.asyncDispose]()
    await service[Symbol.asyncDispose]()
  }
  return { port: gateway.port, [Symbol.asyncDispose]: dispose }
}

test('plugins that change responses change every answer, including refusals and failures', async () => {
  await using gateway = await fullGateway()
  const key = { 'x-api-key': GOOD }
  const answers: [number, SendOptions][] = [
    [200, { path: '/api', headers: key }],
    [401, { path: '/api' }],
    [401, { path: '/api', headers: { 'x-api-key': 'wrong' } }],
    [413, { path: '/api', method: 'POST', headers: key, body: 'x'.repeat(11) }],
    [500, { path: '/odd', headers: key }],
    [502, { path: '/dead' }],
  ]
  for (const [status, options] of answers) {
    const answer = await send(gateway.port, { ...options, headers: { origin: ORIGIN, ...options.headers } })
    const what = `${status} ${options.path}`
    assert.equal(answer.status, status, what)
    assert.equal(answer.headers['access-control-allow-origin'], ORIGIN, what)
    assert.equal(answer.headers['access-control-expose-headers'], 'X-Id', what)
    assert.match(String(answer.headers.vary), /\bOrigin$/, what)
    assert.match(String(answer.headers['x-id']), UUID, what)
  }
})

test('plugins run in the order of their priorities: a request refused earlier is not counted, and a preflight needs no key', async () => {
  await using gateway = await fullGateway()
  const rateOf = async (options: SendOptions) => {
    const { status, headers } = await send(gateway.port, { path: '/api', ...options })
    return [status, headers['ratelimit-remaining'], UUID.test(String(headers['x-id']))]
  }
  const key = { 'x-api-key': GOOD }
  const preflight = { origin: ORIGIN, 'access-control-request-method': 'GET' }
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await rateOf({}), [401, undefined, true])
    assert.deepEqual(await rateOf({ method: 'POST', headers: key, body: 'x'.repeat(11) }), [413, undefined, true])
    assert.deepEqual(await rateOf({ method: 'OPTIONS', headers: preflight }), [200, undefined, true])
  }
  assert.deepEqual(await rateOf({ headers: key }), [200, '2', true])
  assert.deepEqual(await rateOf({ headers: key }), [200, '1', true])
  assert.deepEqual(await rateOf({ headers: key }), [200, '0', true])
  assert.deepEqual(await rateOf({ headers: key }), [429, '0', true])
  assert.deepEqual(await rateOf({}), [401, undefined, true])
})

test('if no route matches, only the global plugins change the response', async () => {
  await using service = await upstream(echo)
  const url = `http://${service.authority}`
  const tls = { name: 'tls', url, routes: [{ paths: ['/tls'], protocols: ['https'] }], plugins: [CORRELATION] }
  const headers = { origin: ORIGIN, 'X-Id': 'mine' }
  const paths = [
    ['/none', 404],
    ['/tls', 426],
    ['/../a', 400],
  ] as const
  await using global = await gatewayFor(configOf([tls], [CORS, CORRELATION]))
  for (const [path, status] of paths) {
    const answer = await send(global.port, { path, headers })
    assert.equal(answer.status, status)
    assert.equal(answer.headers['access-control-allow-origin'], ORIGIN, path)
    assert.equal(answer.headers['x-id'], 'mine', path)
  }
  assert.match(String((await send(global.port, { path: '/none' })).headers['x-id']), UUID)
  const preflight = { ...headers, 'access-control-request-method': 'GET' }
  const unanswered = await send(global.port, { method: 'OPTIONS', path: '/none', headers: preflight })
  assert.equal(unanswered.status, 404)
  assert.equal(unanswered.headers['access-control-allow-origin'], ORIGIN)
  assert.equal(unanswered.headers['access-control-allow-methods'], undefined)
  await using own = await gatewayFor(configOf([tls]))
  for (const [path] of paths) assert.equal((await send(own.port, { path, headers })).headers['x-id'], undefined, path)
})

test('of plugins with one name, the route’s wins over the service’s, and that over the global one; a disabled one is skipped', async () => {
  await using service = await upstream(echo)
  const url = `http://${service.authority}`
  const echoed = (header_name: string): KongPlugin => ({
    name: 'correlation-id',
    config: { header_name, echo_downstream: true },
  })
  const services = [
    { name: 'a', url, routes: [{ paths: ['/global'] }] },
    {
      name: 'b',
      url,
      plugins: [echoed('By-Service')],
      routes: [
        { paths: ['/service'] },
        { paths: ['/route'], plugins: [echoed('By-Route')] },
        { paths: ['/off'], plugins: [{ ...echoed('By-Route'), enabled: false }] },
      ],
    },
  ]
  await using gateway = await gatewayFor(configOf(services, [echoed('By-All')]))
  for (const [path, name] of [
    ['/global', 'by-all'],
    ['/service', 'by-service'],
    ['/route', 'by-route'],
    ['/off', 'by-service'],
  ] as const) {
    const { headers } = await send(gateway.port, { path })
    assert.deepEqual(
      Object.keys(headers).filter(header => header.startsWith('by-')),
      [name],
    )
  }
})

test('plugins change the headers of a streamed response, before its body ends', async () => {
  await using service = await upstream((_req, res) => {
    res.flushHeaders()
    res.socket?.once('close', () => res.destroy())
  })
  await using gateway = await gatewayFor(
    configOf([{ name: 'api', url: `http://${service.authority}`, routes: [{ paths: ['/'] }], plugins: [CORRELATION] }]),
  )
  const text = await rawExchange(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', sofar => sofar.includes('\r\n\r\n'))
  assert.match(text, /\r\nX-Id: [0-9a-f-]{36}\r\n/)
})

test('a plugin that fails on a response is logged; the other plugins run, and the answer is sent', async () => {
  const log = recordingLog()
  const failing: AccessPlugin = {
    respond: () => {
      throw new Error('broken')
    },
  }
  const fine: AccessPlugin = { ...failing, respond: (_request, headers) => headers.set('X-B', '2') }
  const view = { gatewayRequestId: 'id' } as AccessRequest
  const fields = ['x-b', '1', 'X-A', '1', 'X-B', '3']
  responsePhase([failing, fine], () => view, log)(fields)
  assert.deepEqual(fields, ['X-A', '1', 'X-B', '2'])
  assert.match(log.lines.join('\n'), /broken.*a plugin failed on a response/s)
})
