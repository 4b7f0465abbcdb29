import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { gatewayFor, hang, oneService, rawExchange, send, textOf, until, upstream } from './support.ts'

test('closing finishes accepted requests, accepts no new ones, and tells clients to disconnect', async () => {
  const held: ServerResponse[] = []
  await using service = await upstream((_req, res) => void held.push(res))
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const waiting = send(gateway.port, { headers: { connection: 'keep-alive' } })
  await until(() => held.length === 1, 'the request is under way')
  let closed = false
  const closing = gateway.close().then(() => {
    closed = true
  })
  await assert.rejects(send(gateway.port), /ECONNREFUSED/)
  assert.equal(closed, false)
  held[0]?.end('done')
  const { status, text, headers } = await waiting
  assert.deepEqual([status, text, headers.connection], [200, 'done', 'close'])
  await closing
  await gateway.close()
})

test('a response that has begun is finished too', async () => {
  const held: ServerResponse[] = []
  await using service = await upstream((_req, res) => {
    res.write('first ')
    held.push(res)
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const req = request({ port: gateway.port }).end()
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  const closing = gateway.close()
  held[0]?.end('last')
  assert.equal(await textOf(res), 'first last')
  await closing
})

test('idle connections and incomplete requests do not delay closing', async () => {
  await using service = await upstream((_req, res) => res.end('ok'))
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const idle = connect(gateway.port, '127.0.0.1')
  const half = connect(gateway.port, '127.0.0.1')
  await Promise.all([once(idle, 'connect'), once(half, 'connect')])
  half.write('GET / HT')
  assert.match(await rawExchange(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', text => text.includes('ok')), /200/)
  await Promise.all([gateway.close(), once(idle.resume(), 'close'), once(half.resume(), 'close')])
})

test('an endless request is cut off after the drain time', async () => {
  let reached = false
  await using service = await upstream((req, res) => {
    reached = true
    hang(req, res)
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`), { drainTimeoutMs: 50 })
  const waiting = assert.rejects(send(gateway.port), /socket hang up|ECONNRESET/)
  await until(() => reached, 'the request is under way')
  await gateway.close()
  await waiting
})
