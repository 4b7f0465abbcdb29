import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Gateway } from '../src/index.ts'
import { echo, gatewayFor, oneService, rawExchange, send, type TestServer, upstream } from './support.ts'

const VIA = '1.1 tsmicro-gateway/0.1.0'

describe('header fields to the upstream', () => {
  let service: TestServer
  let gateway: Gateway
  before(async () => {
    service = await upstream(echo)
    gateway = await gatewayFor(oneService('http://api:8001/base', {}, { paths: ['/pre'] }), {
      resolve: { 'api:8001': service.authority },
    })
  })
  after(async () => {
    await gateway.close()
    await service[Symbol.asyncDispose]()
  })
  const received = async (headers: Record<string, string | string[]> = {}, path = '/pre/x?q=1') => {
    const { json } = await send(gateway.port, { path, headers })
    return { path: json.path, ...(json.headers as Record<string, string>) } as Record<string, string | undefined>
  }

  test('say where the request came from and where it was addressed', async () => {
    const got = await received({ host: 'Public.Test:9999' })
    assert.equal(got.path, '/base/x?q=1')
    assert.equal(got.host, 'api:8001', 'the configured name, not the address behind it')
    assert.equal(got['x-forwarded-for'], '127.0.0.1')
    assert.equal(got['x-real-ip'], '127.0.0.1')
    assert.equal(got['x-forwarded-proto'], 'http')
    assert.equal(got['x-forwarded-host'], 'public.test')
    assert.equal(got['x-forwarded-port'], String(gateway.port))
    assert.equal(got['x-forwarded-path'], '/pre/x')
    assert.equal(got['x-forwarded-prefix'], '/pre')
    assert.equal(got.via, VIA)
    assert.match(got['x-kong-request-id'] ?? '', /^[0-9a-f]{32}$/)
  })

  test('do not trust the client, except that its X-Forwarded-For is extended, as in Kong', async () => {
    const forged = {
      'x-forwarded-for': '1.1.1.1, 2.2.2.2',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.test',
      'x-forwarded-port': '1',
      'x-forwarded-path': '/admin',
      'x-forwarded-prefix': '/admin',
      'x-real-ip': '3.3.3.3',
      via: '1.0 other',
      host: 'real.test',
    }
    const got = await received(forged)
    assert.equal(got['x-forwarded-for'], '1.1.1.1, 2.2.2.2, 127.0.0.1')
    assert.equal(got['x-real-ip'], '127.0.0.1')
    assert.equal(got['x-forwarded-proto'], 'http')
    assert.equal(got['x-forwarded-host'], 'real.test')
    assert.equal(got['x-forwarded-port'], String(gateway.port))
    assert.equal(got['x-forwarded-path'], '/pre/x')
    assert.equal(got['x-forwarded-prefix'], '/pre')
    assert.equal(got.via, `1.0 other, ${VIA}`)
  })

  test('drop headers that only Kong may set about a caller, in any spelling', async () => {
    const names = [
      'X-Consumer-Id',
      'x-consumer-username',
      'x_consumer_id',
      'X-Kong-Request-Id',
      'x-kong-anything',
      'x-credential-identifier',
      'x-anonymous-consumer',
    ]
    const got = await received(Object.fromEntries(names.map(name => [name, 'forged'])))
    assert.ok(!Object.values(got).includes('forged'), JSON.stringify(got))
  })

  test('drop the headers of the connection, and those that Connection names', async () => {
    const got = await received({
      connection: 'close, X-Hop , x-forwarded-for',
      'x-hop': 'hop',
      te: 'trailers',
      'proxy-connection': 'x',
      proxy: 'http://evil',
      'keep-alive': 'timeout=9',
      upgrade: 'h2c',
      'x-end': 'end',
    })
    for (const name of ['x-hop', 'te', 'proxy-connection', 'proxy', 'keep-alive', 'upgrade'])
      assert.equal(got[name], undefined, name)
    assert.equal(got['x-end'], 'end')
    assert.equal(got['x-forwarded-for'], '127.0.0.1', 'the gateway names the client even if the client asks it not to')
  })

  test('keep everything else unchanged: repeated fields, x-request-id, latin1', async () => {
    const { json } = await send(gateway.port, {
      path: '/pre',
      headers: { 'X-Many': ['a', 'b'], 'x-request-id': 'abc-123', 'x-latin': 'caf\xe9' },
    })
    const raw = json.raw as string[]
    assert.deepEqual(
      raw.filter((_, i) => raw[i - 1] === 'X-Many'),
      ['a', 'b'],
    )
    const headers = json.headers as Record<string, string>
    assert.equal(headers['x-request-id'], 'abc-123')
    assert.equal(headers['x-latin'], 'caf\xe9')
  })

  test('an absolute target gives path and X-Forwarded-Host', async () => {
    const text = await rawExchange(
      gateway.port,
      'GET http://Abs.Test:1/pre/y?z HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n',
    )
    const body = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as {
      path: string
      headers: Record<string, string>
    }
    assert.equal(body.path, '/base/y?z')
    assert.equal(body.headers['x-forwarded-host'], 'abs.test')
  })
})

test('preserve_host keeps the Host header; without stripping there is no prefix', async () => {
  await using service = await upstream(echo)
  const route = { paths: ['/a'], preserve_host: true, strip_path: false }
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, {}, route))
  const { json } = await send(gateway.port, { path: '/a/b', headers: { host: 'Mine.Test:81' } })
  const headers = json.headers as Record<string, string>
  assert.equal(json.path, '/a/b')
  assert.equal(headers.host, 'Mine.Test:81')
  assert.equal(headers['x-forwarded-prefix'], undefined)
})

test('header fields to the client', async () => {
  await using service = await upstream((_req, res) => {
    res.setHeader('set-cookie', ['a=1', 'b=2']).setHeader('connection', 'close, x-hop').setHeader('x-hop', 'hop')
    res.setHeader('x-request-id', 'from-service').setHeader('via', '1.1 inner').setHeader('server', 'inner')
    res.setHeader('x-kong-request-id', 'forged').setHeader('x-kong-upstream-latency', 'forged')
    res.end('ok')
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const { headers, rawHeaders } = await send(gateway.port)
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(headers['x-hop'], undefined)
  assert.equal(headers['x-request-id'], 'from-service')
  assert.equal(headers.via, `1.1 inner, ${VIA}`)
  assert.equal(headers.server, 'inner')
  assert.match(String(headers['x-kong-request-id']), /^[0-9a-f]{32}$/)
  assert.match(String(headers['x-kong-upstream-latency']), /^\d+$/)
  assert.match(String(headers['x-kong-proxy-latency']), /^\d+$/)
  assert.equal(headers['x-kong-response-latency'], undefined)
  assert.equal(rawHeaders.filter(name => name.toLowerCase() === 'x-kong-request-id').length, 1)
})

test("the gateway's own answers", async () => {
  await using gateway = await gatewayFor({ _format_version: '3.0' })
  const { status, headers, json } = await send(gateway.port)
  assert.equal(status, 404)
  assert.deepEqual(json, { message: 'no Route matched with those values', request_id: headers['x-kong-request-id'] })
  assert.equal(headers['content-type'], 'application/json; charset=utf-8')
  assert.equal(headers.server, 'tsmicro-gateway/0.1.0')
  assert.match(String(headers['x-kong-response-latency']), /^\d+$/)
  const head = await send(gateway.port, { method: 'HEAD' })
  assert.equal(head.status, 404)
  assert.equal(head.text, '')
})

test('HEAD, 204 and 304 have no body, and every method is forwarded', async () => {
  await using service = await upstream((req, res) => {
    const status = Number(req.url?.slice(1))
    res.writeHead(status, { etag: '"1"', 'x-method': req.method ?? '', ...(status === 200 && { 'content-length': 5 }) })
    res.end(status === 200 ? 'hello' : undefined)
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const head = await send(gateway.port, { method: 'HEAD', path: '/200' })
  assert.deepEqual([head.status, head.headers['content-length'], head.text], [200, '5', ''])
  for (const status of [204, 304]) {
    const answer = await send(gateway.port, { path: `/${status}` })
    assert.deepEqual([answer.status, answer.headers.etag, answer.text], [status, '"1"', ''])
    assert.equal(answer.headers['transfer-encoding'], undefined)
  }
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const answer = await send(gateway.port, { method, path: '/200' })
    assert.deepEqual([answer.headers['x-method'], answer.text], [method, 'hello'])
  }
})

test('bodies with any framing arrive complete, with any method', async () => {
  await using service = await upstream((req, res) => {
    res
      .setHeader('x-length', req.headers['content-length'] ?? 'none')
      .setHeader('x-coding', req.headers['transfer-encoding'] ?? 'none')
    req.pipe(res)
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'GET']) {
    const sized = await send(gateway.port, { method, body: 'hello', headers: { 'content-length': '5' } })
    assert.deepEqual([sized.text, sized.headers['x-length'], sized.headers['x-coding']], ['hello', '5', 'none'], method)
    const chunked = await send(gateway.port, { method, body: 'hello', headers: { 'transfer-encoding': 'chunked' } })
    assert.deepEqual(
      [chunked.text, chunked.headers['x-length'], chunked.headers['x-coding']],
      ['hello', 'none', 'chunked'],
      method,
    )
  }
  const empty = await send(gateway.port, { method: 'POST', headers: { 'content-length': '0' } })
  assert.deepEqual([empty.text, empty.headers['x-length']], ['', '0'])
})
