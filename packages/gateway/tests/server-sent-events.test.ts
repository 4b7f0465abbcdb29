import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { KongService } from '../src/index.ts'
import { configOf, gatewayFor, oneService, send, until, upstream } from './support.ts'

/** A service whose `/events` never ends by itself, behind a gateway. */
async function eventService(service: Partial<KongService> = {}, drainTimeoutMs = 300) {
  const streams: ServerResponse[] = []
  let gone = 0
  const server = await upstream((req, res) => {
    if (req.url !== '/events') {
      res.end('ok')
      return
    }
    const lines = req.headers.accept === 'application/jsonl'
    const type = lines ? 'application/jsonl' : 'text/event-stream; charset=utf-8'
    res.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' })
    res.write('event: hello\ndata: 0\n\n')
    streams.push(res.on('close', () => (gone += 1)))
  })
  const gateway = await gatewayFor(oneService(`http://${server.authority}`, service), { drainTimeoutMs })
  const dispose = async () => {
    await gateway.close()
    await server[Symbol.asyncDispose]()
  }
  const departed = () => gone
  return { gateway, streams, departed, [Symbol.asyncDispose]: dispose }
}

/** A subscriber, and the texts of the events that it has received. */
async function subscribe(port: number, signal: AbortSignal | null = null, accept = 'text/event-stream') {
  const response = await fetch(`http://127.0.0.1:${port}/events`, { headers: { accept }, signal })
  const events: string[] = []
  const reading = (async () => {
    let rest = ''
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = (rest + chunk).split('\n\n')
      rest = parts.pop() ?? ''
      events.push(...parts)
    }
  })()
  reading.catch(() => {})
  const next = async (count: number) => {
    await until(() => events.length >= count, `${count} events have come`)
    return events.splice(0)
  }
  return { response, next, reading }
}

test('each event arrives when it is sent, while other streams come and go', async () => {
  await using service = await eventService()
  const leave = new AbortController()
  const { response, next } = await subscribe(service.gateway.port, leave.signal)
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.equal(response.headers.get('content-length'), null)
  assert.deepEqual(await next(1), ['event: hello\ndata: 0'])
  for (let i = 1; i <= 5; i++) {
    service.streams[0]?.write(`data: ${i}\n\n`)
    assert.deepEqual(await next(1), [`data: ${i}`])
    assert.equal((await send(service.gateway.port)).text, 'ok')
  }
  leave.abort()
})

test('if a client leaves, its upstream request ends, and no other', async () => {
  await using service = await eventService()
  const leave = new AbortController()
  const [leaving, staying] = await Promise.all([
    subscribe(service.gateway.port, leave.signal),
    subscribe(service.gateway.port),
  ])
  await Promise.all([leaving.next(1), staying.next(1)])
  leave.abort()
  await until(() => service.departed() === 1, 'the upstream request is aborted')
  for (const stream of service.streams) stream.write('data: on\n\n')
  assert.deepEqual(await staying.next(1), ['data: on'])
  assert.equal(service.departed(), 1)
})

test('a stream lives until read_timeout passes between two events; then it is cut off, not ended', async () => {
  await using service = await eventService({ read_timeout: 1500 })
  const { next, reading } = await subscribe(service.gateway.port)
  await next(1)
  for (let i = 0; i < 20; i++) {
    service.streams[0]?.write(`: ${i}\n\n`)
    await next(1)
    await new Promise(done => setTimeout(done, 100))
  }
  await assert.rejects(reading, /terminated/)
  await until(() => service.departed() === 1, 'the upstream request is aborted')
})

test('a reload does not affect a stream; closing ends it after the drain time', async () => {
  await using service = await eventService()
  const { next, reading } = await subscribe(service.gateway.port)
  await next(1)
  await service.gateway.reload(configOf([]))
  service.streams[0]?.write('data: after\n\n')
  assert.deepEqual(await next(1), ['data: after'])
  await service.gateway.close()
  await assert.rejects(reading, /terminated/)
})

test('closing does not wait for streams: they end long before the drain time, and their upstream requests with them', async () => {
  await using service = await eventService({}, 3_600_000)
  const [events, lines] = [
    await subscribe(service.gateway.port),
    await subscribe(service.gateway.port, null, 'application/jsonl'),
  ]
  await Promise.all([events.next(1), lines.next(1)])
  // Sent in the same moment in which the streams are ended, or after it.
  const sending = setInterval(() => {
    for (const stream of service.streams) stream.write('data: on\n\n')
  }, 1)
  const [, cut] = await Promise.all([service.gateway.close(), lines.reading.catch(String), events.reading])
  clearInterval(sending)
  assert.match(String(cut), /terminated/, 'lines do not look complete')
  await until(() => service.departed() === 2, 'the upstream requests are aborted')
})

test('if the upstream ends a stream, the client sees the end', async () => {
  await using service = await eventService()
  const { next, reading } = await subscribe(service.gateway.port)
  await next(1)
  service.streams[0]?.end('data: last\n\n')
  assert.deepEqual(await next(1), ['data: last'])
  await reading
})

test('a stream without chunks, as in HTTP/1.0, is forwarded too', async () => {
  const server = createServer((_req, res) => {
    res.useChunkedEncodingByDefault = false
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  await using gateway = await gatewayFor(oneService(`http://127.0.0.1:${port}`), { drainTimeoutMs: 50 })
  const { next } = await subscribe(gateway.port)
  assert.deepEqual(await next(1), ['data: 1'])
  server.closeAllConnections()
  server.close()
})
