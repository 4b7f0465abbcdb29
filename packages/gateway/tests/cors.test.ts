import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { configOf, gatewayFor, type SendOptions, send, type TestServer, upstream } from './support.ts'

let service: TestServer
const reached: string[] = []
before(async () => {
  service = await upstream((req, res) => {
    reached.push(`${req.method}`)
    res.setHeader('vary', 'Accept').setHeader('access-control-allow-origin', 'theirs').end('ok')
  })
})
after(() => service[Symbol.asyncDispose]())

function gatewayWith(config: object) {
  const url = `http://${service.authority}`
  const plugins = [{ name: 'cors', config }]
  return gatewayFor(configOf([{ name: 'api', url, routes: [{ paths: ['/api'] }], plugins }]))
}

const ORIGIN = 'https://app.test'
const preflight = (headers: SendOptions['headers'] = {}): SendOptions => ({
  method: 'OPTIONS',
  path: '/api',
  headers: { origin: ORIGIN, 'access-control-request-method': 'PUT', ...headers },
})

/** The headers of an answer about origins, and Vary. */
async function policyOf(port: number, options: SendOptions) {
  const { status, headers, text } = await send(port, { path: '/api', ...options })
  const policy = Object.entries(headers).filter(([name]) => /^(access-control-|vary$)/.test(name))
  return { status, text, policy: Object.fromEntries(policy.map(([n, v]) => [n.replace('access-control-', ''), v])) }
}

const METHODS = 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT'

describe('preflights', () => {
  const cases: [string, object, SendOptions['headers'], Record<string, string>][] = [
    ['by default everything is allowed', {}, {}, { 'allow-origin': '*', 'allow-methods': METHODS }],
    [
      'the headers that are asked for are allowed',
      {},
      { 'access-control-request-headers': 'x-a, x-b' },
      { 'allow-origin': '*', 'allow-methods': METHODS, 'allow-headers': 'x-a, x-b' },
    ],
    [
      'what is configured is said instead',
      { origins: [ORIGIN], methods: ['GET', 'PUT'], headers: ['X-A', 'X-B'], max_age: 3600, exposed_headers: ['X-C'] },
      { 'access-control-request-headers': 'x-z' },
      {
        'allow-origin': ORIGIN,
        vary: 'Origin',
        'allow-methods': 'GET,PUT',
        'allow-headers': 'X-A,X-B',
        'max-age': '3600',
      },
    ],
    [
      'credentials: never together with *',
      { credentials: true },
      {},
      { 'allow-origin': ORIGIN, vary: 'Origin', 'allow-credentials': 'true', 'allow-methods': METHODS },
    ],
    [
      'another origin is not allowed',
      { origins: ['https://a.test', 'https://b.test'] },
      {},
      { vary: 'Origin', 'allow-methods': METHODS },
    ],
    [
      'private networks, for whom asks',
      { private_network: true },
      { 'access-control-request-private-network': 'true' },
      { 'allow-origin': '*', 'allow-methods': METHODS, 'allow-private-network': 'true' },
    ],
    [
      'private networks are not allowed by default',
      {},
      { 'access-control-request-private-network': 'true' },
      { 'allow-origin': '*', 'allow-methods': METHODS },
    ],
  ]
  for (const [what, config, headers, policy] of cases) {
    test(`${what}: 200 without the service`, async () => {
      reached.length = 0
      await using gateway = await gatewayWith(config)
      assert.deepEqual(await policyOf(gateway.port, preflight(headers)), { status: 200, text: '', policy })
      assert.deepEqual(reached, [])
    })
  }

  test('the answer is empty, with the headers of the gateway’s own answers', async () => {
    await using gateway = await gatewayWith({})
    const { headers } = await send(gateway.port, preflight())
    assert.equal(headers['content-length'], '0')
    assert.equal(headers['content-type'], undefined)
    assert.match(String(headers['x-kong-request-id']), /^[0-9a-f]{32}$/)
  })

  test('preflight_continue: the service answers, and its answer is unchanged', async () => {
    await using gateway = await gatewayWith({ preflight_continue: true })
    const { text, policy } = await policyOf(gateway.port, preflight())
    assert.deepEqual([text, policy], ['ok', { vary: 'Accept', 'allow-origin': 'theirs' }])
  })

  test('OPTIONS without an origin or a requested method is not a preflight', async () => {
    await using gateway = await gatewayWith({})
    reached.length = 0
    await send(gateway.port, { method: 'OPTIONS', path: '/api', headers: { origin: ORIGIN } })
    await send(gateway.port, { method: 'OPTIONS', path: '/api', headers: { 'access-control-request-method': 'GET' } })
    assert.deepEqual(reached, ['OPTIONS', 'OPTIONS'])
  })
})

describe('the answers of the service', () => {
  const cases: [string, object, string | undefined, Record<string, string>][] = [
    ['any', {}, ORIGIN, { vary: 'Accept', 'allow-origin': '*' }],
    ['no origin', {}, undefined, { vary: 'Accept', 'allow-origin': '*' }],
    ['one', { origins: ['https://x.test'] }, ORIGIN, { vary: 'Accept, Origin', 'allow-origin': 'https://x.test' }],
    ['listed', { origins: ['https://x.test', ORIGIN] }, ORIGIN, { vary: 'Accept, Origin', 'allow-origin': ORIGIN }],
    ['not listed', { origins: ['https://x.test', 'app.test'] }, ORIGIN, { vary: 'Accept, Origin' }],
    ['another scheme', { origins: ['http://app.test', 'x'] }, ORIGIN, { vary: 'Accept, Origin' }],
    [
      'a default port is ignored',
      { origins: ['https://app.test:443', 'http://x'] },
      'https://app.test:443',
      { vary: 'Accept, Origin', 'allow-origin': ORIGIN },
    ],
    [
      'another port',
      { origins: ['https://app.test', 'http://x'] },
      'https://app.test:8443',
      { vary: 'Accept, Origin' },
    ],
    ['* among others', { origins: ['https://x.test', '*'] }, ORIGIN, { vary: 'Accept, Origin', 'allow-origin': '*' }],
    [
      'an expression about the host',
      { origins: ['(.+\\.)?app\\.test'] },
      'https://a.app.test:1',
      { vary: 'Accept, Origin', 'allow-origin': 'https://a.app.test:1' },
    ],
    ['it is anchored in front', { origins: ['app\\.test'] }, 'https://myapp.test', { vary: 'Accept, Origin' }],
    ['and behind', { origins: ['^app\\.test$'] }, 'https://app.test.evil', { vary: 'Accept, Origin' }],
    [
      'an expression about the whole',
      { origins: ['https?://[a-z]+\\.test(:[0-9]+)?'] },
      'http://b.test:8080',
      { vary: 'Accept, Origin', 'allow-origin': 'http://b.test:8080' },
    ],
    ['null', { origins: ['https://x.test', 'null'] }, 'null', { vary: 'Accept, Origin', 'allow-origin': 'null' }],
    [
      'credentials for any',
      { credentials: true },
      ORIGIN,
      { vary: 'Accept, Origin', 'allow-origin': ORIGIN, 'allow-credentials': 'true' },
    ],
    [
      'credentials and names that pages may read',
      { origins: [ORIGIN], credentials: true, exposed_headers: ['X-A', 'X-B'] },
      'https://x.test',
      { vary: 'Accept, Origin', 'allow-origin': ORIGIN, 'allow-credentials': 'true', 'expose-headers': 'X-A,X-B' },
    ],
  ]
  for (const [what, config, origin, policy] of cases) {
    test(what, async () => {
      await using gateway = await gatewayWith(config)
      const found = await policyOf(gateway.port, { headers: origin === undefined ? {} : { origin } })
      assert.deepEqual(found, { status: 200, text: 'ok', policy })
    })
  }
})
