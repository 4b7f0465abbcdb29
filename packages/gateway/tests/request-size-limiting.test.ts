import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { configOf, gatewayFor, rawExchange, send, type TestServer, textOf, until, upstream } from './support.ts'

/** A service that counts the bodies that it has received completely, and those that broke off. */
async function countingService() {
  const whole: number[] = []
  let broken = 0
  const server = await upstream((req, res) => {
    let size = 0
    req.on('data', chunk => {
      size += chunk.length
    })
    req.on('end', () => {
      whole.push(size)
      res.end(`took ${size}`)
    })
    req.on('close', () => {
      if (!req.complete) broken += 1
    })
  })
  return { server, whole, broken: () => broken, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

function gatewayWith(service: TestServer, config: object) {
  const url = `http://${service.authority}`
  const plugins = [{ name: 'request-size-limiting', config }]
  return gatewayFor(configOf([{ name: 'api', url, routes: [{ paths: ['/'] }], plugins }]))
}

const LIMIT = { allowed_payload_size: 1000, size_unit: 'bytes' }

test('a Content-Length above the limit: 413 before the body; 417 if the client asks first', async () => {
  await using service = await countingService()
  await using gateway = await gatewayWith(service.server, LIMIT)
  const head = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n'
  const refused = await rawExchange(gateway.port, `${head}\r\n`, text => text.endsWith('}'))
  assert.match(refused, /^HTTP\/1\.1 413 /)
  assert.match(refused, /\{"message":"Request size limit exceeded","request_id":"[0-9a-f]{32}"\}$/)
  const asked = await rawExchange(gateway.port, `${head}Expect: 100-continue\r\n\r\n`, text => text.endsWith('}'))
  assert.match(asked, /^HTTP\/1\.1 417 /)
  assert.match(asked, /"message":"Request size limit exceeded"/)
  assert.equal((await send(gateway.port, { method: 'PUT', body: 'x'.repeat(1000) })).text, 'took 1000')
  assert.deepEqual(service.whole, [1000])
})

test('chunks pass up to the limit; beyond it, 413, and the service never gets the end of the request', async () => {
  await using service = await countingService()
  await using gateway = await gatewayWith(service.server, LIMIT)
  const chunked = async (method: string, chunks: number[]) => {
    const req = request({ port: gateway.port, method, agent: false, headers: { 'transfer-encoding': 'chunked' } })
    for (const size of chunks) {
      req.write('x'.repeat(size))
      // One at a time, so that the first chunks have already been forwarded.
      await new Promise(done => setImmediate(done))
    }
    req.end()
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    return `${res.statusCode} ${await textOf(res)}`
  }
  for (const method of ['POST', 'PUT']) {
    service.whole.length = 0
    assert.equal(await chunked(method, [400, 600]), '200 took 1000')
    assert.match(await chunked(method, [400, 400, 201]), /^413 \{"message":"Request size limit exceeded",/)
    assert.match(await chunked(method, [5000]), /^413 /)
    assert.deepEqual(service.whole, [1000], method)
  }
  await until(() => service.broken() >= 2, 'the service noticed')
})

test('if the service has begun to answer, the answer is cut off', async () => {
  await using service = await upstream((req, res) => {
    res.write('begun')
    req.resume().on('end', () => res.end(' and accepted'))
  })
  await using gateway = await gatewayWith(service, LIMIT)
  const req = request({ port: gateway.port, method: 'POST', agent: false })
  req.on('error', () => {}).write('x'.repeat(900))
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  req.write('x'.repeat(900))
  const outcome = await textOf(res).catch((error: Error) => error.message)
  assert.equal(outcome, 'aborted')
})

test('an endless body is cut off, and the gateway keeps serving', async () => {
  await using service = await countingService()
  await using gateway = await gatewayWith(service.server, LIMIT)
  const chunk = `400\r\n${'x'.repeat(1024)}\r\n`
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
  const text = await rawExchange(gateway.port, head + chunk.repeat(50), sofar => sofar.endsWith('}'))
  assert.match(text, /^HTTP\/1\.1 413 /)
  assert.equal((await send(gateway.port, { method: 'POST', body: 'x' })).text, 'took 1')
  assert.deepEqual(service.whole, [1])
})

test('units: megabytes and kilobytes are powers of 1024', async () => {
  await using service = await countingService()
  for (const [config, most] of [
    [{ allowed_payload_size: 1 }, 1024 * 1024],
    [{ allowed_payload_size: 2, size_unit: 'kilobytes' }, 2048],
  ] as const) {
    await using gateway = await gatewayWith(service.server, config)
    assert.equal((await send(gateway.port, { method: 'POST', body: Buffer.alloc(most) })).status, 200)
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${most + 1}\r\n\r\n`
    assert.match(await rawExchange(gateway.port, head, text => text.endsWith('}')), /^HTTP\/1\.1 413 /)
  }
})

test('require_content_length: 411 without one, except for chunks', async () => {
  await using service = await countingService()
  await using gateway = await gatewayWith(service.server, { ...LIMIT, require_content_length: true })
  const none = await send(gateway.port)
  assert.deepEqual([none.status, none.json.message], [411, 'A valid Content-Length header is required'])
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
  assert.match(await rawExchange(gateway.port, `${head}1\r\nx\r\n0\r\n\r\n`), /took 1/)
})
