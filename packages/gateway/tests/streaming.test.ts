import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { gatewayFor, oneService, send, until, upstream } from './support.ts'

const CHUNK = Buffer.alloc(64 * 1024, 'x')
const TOTAL = 50 * 1024 * 1024
const READ_TIMEOUT = 1000

/** Writes as much as the other side takes, up to 50 MB, and returns how much that was. */
function pump(out: NodeJS.WritableStream) {
  const state = { written: 0 }
  const write = () => {
    while (state.written < TOTAL) {
      state.written += CHUNK.length
      if (!out.write(CHUNK)) {
        out.once('drain', write)
        return
      }
    }
    out.end()
  }
  write()
  return state
}

async function settled(read: () => number): Promise<number> {
  let last = -1
  let same = 0
  await until(() => {
    same = read() === last ? same + 1 : 0
    last = read()
    return same >= 20
  }, 'the sender is held back')
  return last
}

test('50 MB up: arrive before the client ends, and no faster than the upstream reads', async () => {
  let received = 0
  const arrived = Promise.withResolvers<IncomingMessage>()
  await using service = await upstream((req, res) => {
    req.pause()
    arrived.resolve(req)
    req.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    req.pause()
    req.on('end', () => res.end(String(received)))
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const req = request({ port: gateway.port, method: 'POST', agent: false })
  const client = pump(req)
  const atUpstream = await arrived.promise
  const held = await settled(() => client.written)
  assert.ok(held < TOTAL, `the client could send ${held} bytes that nobody read`)
  atUpstream.resume()
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  const [text] = await once(res, 'data')
  assert.equal(String(text), String(client.written))
})

test('50 MB down: arrive before the upstream ends, and no faster than the client reads', async () => {
  const sender = Promise.withResolvers<{ written: number }>()
  await using service = await upstream((_req, res) => sender.resolve(pump(res)))
  // The upstream's time-out does not run while the client is the slow side.
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, { read_timeout: READ_TIMEOUT }))
  const req = request({ port: gateway.port, agent: false }).end()
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  const upstreamSide = await sender.promise
  const held = await settled(() => upstreamSide.written)
  const pausedAt = performance.now()
  await until(
    () => performance.now() - pausedAt > 1.5 * READ_TIMEOUT,
    'the client has paused for longer than the time-out',
  )
  assert.ok(held < TOTAL, `the upstream could send ${held} bytes that nobody read`)
  let received = 0
  for await (const chunk of res) received += (chunk as Buffer).length
  assert.equal(received, TOTAL)
})

test('each part of a dialogue is forwarded at once, headers first', async () => {
  await using service = await upstream((req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    req.on('data', (chunk: Buffer) => res.write(`${chunk}!`)).on('end', () => res.end())
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const req = request({ port: gateway.port, method: 'POST', agent: false })
  req.write('one')
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  assert.equal(String((await once(res, 'data'))[0]), 'one!')
  req.write('two')
  assert.equal(String((await once(res, 'data'))[0]), 'two!')
  req.end()
  await once(res, 'end')
})

test('headers are not delayed until the body arrives', async () => {
  await using service = await upstream((_req, res) => {
    res.writeHead(200, { 'x-early': 'yes' }).flushHeaders()
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`), { drainTimeoutMs: 100 })
  const req = request({ port: gateway.port, agent: false }).end()
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  assert.equal(res.headers['x-early'], 'yes')
  req.on('error', () => {}).destroy()
})

for (const phase of ['before the answer', 'in the request body', 'in the response body'] as const) {
  test(`if a client leaves ${phase}, the upstream request ends`, async () => {
    let reached = false
    let closed = false
    await using service = await upstream((req, res) => {
      reached = true
      res.on('close', () => {
        closed = true
      })
      req.resume().on('error', () => {})
      if (phase === 'in the response body') res.write('part')
    })
    await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
    const req = request({ port: gateway.port, method: 'POST', agent: false }).on('error', () => {})
    if (phase === 'in the request body') req.write('part')
    else req.end('whole')
    if (phase === 'in the response body') {
      const [res] = (await once(req, 'response')) as [IncomingMessage]
      res.on('error', () => {})
      await once(res, 'data')
    }
    await until(() => reached, 'the upstream has the request')
    req.destroy()
    await until(() => closed, 'the upstream request is aborted')
  })
}

test('an answer before the end of the upload reaches the client', async () => {
  await using service = await upstream((_req, res) => res.writeHead(413, { connection: 'close' }).end('too much'))
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const req = request({ port: gateway.port, method: 'POST', agent: false }).on('error', () => {})
  req.write(CHUNK)
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  assert.equal(res.statusCode, 413)
  assert.equal(String((await once(res, 'data'))[0]), 'too much')
  req.destroy()
})

test('Expect: 100-continue: the body is requested when the upstream takes it, and never for a refused request', async () => {
  await using service = await upstream((req, res) => req.pipe(res))
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, {}, { paths: ['/here'] }))
  const req = request({
    port: gateway.port,
    path: '/here',
    method: 'POST',
    agent: false,
    headers: { expect: '100-continue' },
  })
  req.flushHeaders()
  await once(req, 'continue')
  req.end('after the go-ahead')
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  assert.equal(String((await once(res, 'data'))[0]), 'after the go-ahead')

  const other = request({
    port: gateway.port,
    path: '/nowhere',
    method: 'POST',
    agent: false,
    headers: { expect: '100-continue' },
  })
  let asked = false
  other.on('continue', () => {
    asked = true
  })
  other.on('error', () => {}).flushHeaders()
  const [refusal] = (await once(other, 'response')) as [IncomingMessage]
  assert.deepEqual([refusal.statusCode, refusal.headers.connection, asked], [404, 'close', false])
  other.destroy()
})

test('connections to the upstream are reused', async () => {
  const upstreamPorts = new Set<number | undefined>()
  await using service = await upstream((req, res) => {
    upstreamPorts.add(req.socket.remotePort)
    res.end('ok')
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  for (let i = 0; i < 10; i++) assert.equal((await send(gateway.port)).text, 'ok')
  assert.equal(upstreamPorts.size, 1)
})
