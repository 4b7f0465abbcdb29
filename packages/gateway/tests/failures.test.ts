import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import type { KongService } from '../src/index.ts'
import {
  deadPort,
  echo,
  gatewayFor,
  hang,
  oneService,
  recordingLog,
  send,
  tcpUpstream,
  textOf,
  upstream,
} from './support.ts'

const INVALID = 'An invalid response was received from the upstream server'
const TIMING_OUT = 'The upstream server is timing out'

async function answerFrom(authority: string, service: Partial<KongService> = {}, body?: string) {
  await using gateway = await gatewayFor(oneService(`http://${authority}`, service))
  const answer = await send(gateway.port, body === undefined ? {} : { method: 'POST', body })
  assert.equal(answer.json.request_id, answer.headers['x-kong-request-id'])
  assert.equal(answer.headers.server, 'tsmicro-gateway/0.1.0')
  return [answer.status, answer.json.message]
}

test('connection refused: 502', async () => {
  assert.deepEqual(await answerFrom(`127.0.0.1:${await deadPort()}`), [502, INVALID])
  assert.deepEqual(await answerFrom(`127.0.0.1:${await deadPort()}`, {}, 'a body'), [502, INVALID])
})

test('a name that cannot be resolved: 503', async () => {
  assert.deepEqual(await answerFrom('no-such-name.invalid:80'), [503, 'name resolution failed'])
})

test('no answer in time: 504', async () => {
  await using service = await upstream(hang)
  assert.deepEqual(await answerFrom(service.authority, { read_timeout: 50 }), [504, TIMING_OUT])
  assert.deepEqual(await answerFrom(service.authority, { read_timeout: 50 }, 'a body'), [504, TIMING_OUT])
})

test('an upstream that does not take the body in time: 504', async () => {
  await using service = await tcpUpstream(socket => socket.pause())
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, { write_timeout: 50 }))
  const req = request({ port: gateway.port, method: 'POST', agent: false }).on('error', () => {})
  req.write(Buffer.alloc(32 * 1024 * 1024))
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  assert.equal(res.statusCode, 504)
  req.destroy()
})

const broken: Record<string, string> = {
  'closes at once': '',
  'speaks no HTTP': 'SSH-2.0-OpenSSH\r\n',
  'stops in its headers': 'HTTP/1.1 200 OK\r\nx-half: ',
  'switches protocols unasked': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  'sends too many headers': `HTTP/1.1 200 OK\r\n${`x-long: ${'a'.repeat(1000)}\r\n`.repeat(100)}\r\n`,
  'sends two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
}
for (const [fault, bytes] of Object.entries(broken)) {
  test(`an upstream that ${fault}: 502`, async () => {
    await using service = await tcpUpstream(socket => socket.once('data', () => socket.end(bytes)))
    assert.deepEqual(await answerFrom(service.authority), [502, INVALID])
  })
}

const cutOff: Record<string, string> = {
  'by length': 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart',
  'in chunks': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n',
}
for (const [framing, bytes] of Object.entries(cutOff)) {
  for (const how of ['end', 'destroy', 'hang'] as const) {
    test(`a response framed ${framing} that stops half-way (${how}) never looks complete`, async () => {
      await using service = await tcpUpstream(socket => {
        socket.once('data', () => {
          if (how === 'end') socket.end(bytes)
          else if (how === 'destroy') socket.write(bytes, () => socket.destroy())
          else socket.write(bytes)
        })
      })
      await using gateway = await gatewayFor(oneService(`http://${service.authority}`, { read_timeout: 300 }))
      const req = request({ port: gateway.port, agent: false }).end()
      const [res] = (await once(req, 'response')) as [IncomingMessage]
      await assert.rejects(textOf(res), /aborted|ECONNRESET/)
    })
  }
}

test('retries: as many as the service has; a POST only while nothing of it was sent', async () => {
  const log = recordingLog()
  const dead = oneService(`http://127.0.0.1:${await deadPort()}`, { retries: 3 })
  await using gateway = await gatewayFor(dead, { log })
  assert.equal((await send(gateway.port)).status, 502)
  assert.equal((await send(gateway.port, { method: 'POST', body: 'a body' })).status, 502)
  assert.equal(log.lines.filter(line => line.includes('"attempts":4')).length, 2)

  let requests = 0
  await using service = await tcpUpstream(socket => {
    socket.once('data', () => {
      requests += 1
      socket.destroy()
    })
  })
  assert.deepEqual(await answerFrom(service.authority, { retries: 5 }, 'a body'), [502, INVALID])
  assert.equal(requests, 1)
  assert.deepEqual(await answerFrom(service.authority, { retries: 2 }), [502, INVALID])
  assert.equal(requests, 4)
  assert.deepEqual(await answerFrom(service.authority, { retries: 0 }), [502, INVALID])
  assert.equal(requests, 5)
})

test('an upstream that comes back is used again', async () => {
  const port = await deadPort()
  await using gateway = await gatewayFor(oneService(`http://127.0.0.1:${port}`))
  assert.equal((await send(gateway.port)).status, 502)
  const { createServer } = await import('node:http')
  const server = createServer(echo).listen(port, '127.0.0.1')
  await once(server, 'listening')
  assert.equal((await send(gateway.port)).status, 200)
  server.closeAllConnections()
  server.close()
})

test('only the final response is forwarded, not the informational ones', async () => {
  await using service = await upstream((_req, res) => {
    res.writeEarlyHints({ link: '</a.css>; rel=preload' })
    res.end('final')
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const { status, text } = await send(gateway.port)
  assert.deepEqual([status, text], [200, 'final'])
})

test('a response without length or chunks ends with its connection', async () => {
  await using service = await tcpUpstream(socket =>
    socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nold style')),
  )
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  assert.equal((await send(gateway.port)).text, 'old style')
})
