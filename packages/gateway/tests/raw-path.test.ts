import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import type { Gateway } from '../src/index.ts'
import {
  configOf,
  echo,
  gatewayFor,
  hang,
  oneService,
  rawExchange,
  type TestServer,
  tcpUpstream,
  until,
  upstream,
} from './support.ts'

let service: TestServer
let gateway: Gateway
let waiting = 0
before(async () => {
  service = await upstream((req, res) => {
    if (!req.url?.includes('hang')) return echo(req, res)
    waiting += 1
    res.on('close', () => {
      waiting -= 1
    })
    return hang(req, res)
  })
  const url = `http://${service.authority}`
  const routes = [{ name: 'named', paths: ['/café'], strip_path: false }]
  gateway = await gatewayFor(configOf([{ name: 'api', url, routes }]))
})
after(async () => {
  await gateway.close()
  await service[Symbol.asyncDispose]()
})

const bytes = (text: string) => Buffer.from(text, 'utf8')
const request = (line: string, more = '') => bytes(`${line} HTTP/1.1\r\nHost: a.test\r\n${more}\r\n`)
const ask = (head: Buffer) => rawExchange(gateway.port, head)
const CLOSE = 'Connection: close\r\n'

test('a path with bytes beyond ASCII is routed, and forwarded escaped, as by Kong', async () => {
  const answer = await ask(request('GET /café/ü b?q=😀'.replace(' b', ''), CLOSE))
  assert.match(answer, /^HTTP\/1\.1 200 /)
  const { path, headers } = JSON.parse(answer.slice(answer.indexOf('{')))
  assert.equal(path, '/caf%C3%A9/%C3%BC?q=%F0%9F%98%80')
  assert.deepEqual([headers['x-real-ip'], headers['x-forwarded-port']], ['127.0.0.1', String(gateway.port)])
  assert.match(await ask(request('GET /thé', CLOSE)), /^HTTP\/1\.1 404 .*no Route matched/s)
  // Not UTF-8, so no route has it.
  const latin = Buffer.from('GET /caf\xe9 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n', 'latin1')
  assert.match(await ask(latin), /^HTTP\/1\.1 404 /)
})

test('it may follow other requests, and is the last one of its connection; bodies are long in both directions', async () => {
  const body = 'b'.repeat(1_000_000)
  const post = (path: string) =>
    Buffer.concat([
      request(`POST ${path}`, `Content-Length: ${body.length}\r\nX-Padding: ${'p'.repeat(2000)}\r\n`),
      Buffer.from(body),
    ])
  const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
  const closed = once(socket, 'close')
  let text = ''
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
  })
  for (const [index, head] of [request('GET /caf%C3%A9/1'), post('/caf%C3%A9/2'), post('/café/3')].entries()) {
    socket.write(head)
    await until(() => (text.match(/HTTP\/1\.1 200 /g)?.length ?? 0) > index, `request ${index + 1} is answered`)
  }
  socket.write(request('GET /caf%C3%A9/4'))
  await closed
  assert.deepEqual(
    [...text.matchAll(/"path":"\/caf%C3%A9\/(\d)"/g)].map(([, number]) => number),
    ['1', '2', '3'],
  )
  assert.match(text, /\r\nconnection: close\r\n/i)
})

test('whatever else is wrong with a request line is refused as before', async () => {
  for (const head of [
    request('GET café', CLOSE),
    request('get /café', CLOSE),
    request('POST GET /café', CLOSE),
    request('GET /café /é', CLOSE),
    request('GÉT /café', CLOSE),
    request('GET /café\x01', CLOSE),
    bytes('GET /café HTTP/2.0\r\nHost: a.test\r\n\r\n'),
    bytes('GET /café HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n'),
    bytes('GET /café HTTP/1.1\r\n\r\n'),
    bytes('GET /café HTTP/1.1\r\nHost: a.test\r\nNäme: x\r\n\r\n'),
  ])
    assert.match(await ask(head), /^HTTP\/1\.1 (400|505) /, head.toString())
})

test('a WebSocket handshake may have such a path', async () => {
  await using echoing = await tcpUpstream(socket =>
    socket.once('data', head => {
      assert.match(head.toString('latin1'), /^GET \/caf%C3%A9 HTTP\/1\.1\r\n/)
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
      socket.pipe(socket)
    }),
  )
  await using other = await gatewayFor(
    oneService(`http://${echoing.authority}`, {}, { paths: ['/'], strip_path: false }),
  )
  const client = connect(other.port, '127.0.0.1').on('error', () => {})
  let text = ''
  client.on('data', chunk => {
    text += chunk.toString('latin1')
  })
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n'
  client.write(request('GET /café', `Upgrade: websocket\r\nConnection: Upgrade\r\n${key}`))
  await until(() => text.includes('\r\n\r\n'), 'the protocol is switched')
  assert.match(text, /^HTTP\/1\.1 101 /)
  client.write('there and back')
  await until(() => text.endsWith('there and back'), 'the tunnel answers')
  client.destroy()
})

test('a client that leaves is noticed, and so is the end of the gateway', async () => {
  const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
  socket.write(request('GET /café/hang'))
  await until(() => waiting === 1, 'the service has the request')
  socket.destroy()
  await until(() => waiting === 0, 'the service is told')

  const other = await gatewayFor(oneService(`http://${service.authority}`), { drainTimeoutMs: 10 })
  const client = connect(other.port, '127.0.0.1').on('error', () => {})
  client.write(request('GET /é/hang'))
  await until(() => waiting === 1, 'the service has the request')
  const closed = once(client.resume(), 'close')
  await other.close()
  await closed
})
