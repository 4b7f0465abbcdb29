/** The client of streams, against servers that send whatever bytes they like. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { createHttpClient } from 'tsmicro/client'
import { ApiError, contract, frameworkErrors, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { type Seen, SOLD_OUT, sell, shop } from './shop.ts'

/** Of generated bodies. */
const RUNS = process.env.CI ? 2000 : 200

const Item = Type.Object({ number: Type.Integer() })
const feed = contract('feed', {
  once: procedure({ http: 'GET /once', access: 'open', output: stream(Item), errors: { SOLD_OUT } }),
  again: procedure({
    http: 'GET /again',
    access: 'open',
    output: stream(Item, { id: 'number' }),
    errors: { SOLD_OUT },
  }),
})
type Script = (response: ServerResponse, request: IncomingMessage, connection: number) => void

/** A server that answers each connection as it is told. */
async function serverOf(script: Script) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    script(response, request, requests.length)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    requests,
    client: createHttpClient(feed, { baseUrl }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const head = (response: ServerResponse, type = 'text/event-stream') => response.writeHead(200, { 'content-type': type })
const itemOf = (number: number) => `id: ${number}\ndata: {"number":${number}}\n\n`

async function collect(items: AsyncIterable<{ number: number }>): Promise<number[]> {
  const numbers: number[] = []
  for await (const { number } of items) numbers.push(number)
  return numbers
}

/** A body in chunks, without a network. */
function clientOf(chunks: readonly Uint8Array[]) {
  const fetch = async () =>
    new Response(ReadableStream.from(chunks) as ReadableStream<Uint8Array>, {
      headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    })
  return createHttpClient(feed, { baseUrl: 'http://feed', fetch })
}

const bytes = (text: string) => new TextEncoder().encode(text)

test('the same items come out of every way to write and to cut them', async () => {
  const breaks = fc.constantFrom('\n', '\r\n', '\r')
  const noise = fc.constantFrom('', ':', ': ä', 'retry: 10', 'retry: soon', 'other: x', 'event', 'id')
  const events = fc.array(fc.record({ number: fc.integer(), before: noise, space: fc.boolean() }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(events, breaks, fc.boolean(), fc.array(fc.nat(9)), async (all, br, bom, cuts) => {
      const lines = all.flatMap(({ number, before, space }) => {
        const [field, value] = [before, `{"number":${number}}`]
        return [field === 'event' || field === 'id' ? '' : field, `data:${space ? ' ' : ''}${value}`, '']
      })
      const whole = bytes(`${bom ? '\ufeff' : ''}${[...lines, 'event: end', 'data: {}', '', ''].join(br)}`)
      const chunks: Uint8Array[] = []
      for (let at = 0, turn = 0; at < whole.length; turn++) {
        const end = at + (cuts.length > 0 ? (cuts[turn % cuts.length] ?? 0) : whole.length)
        chunks.push(whole.subarray(at, end))
        at = turn % 10 === 9 && end === at ? at + 1 : end
        if (at > end) chunks.push(whole.subarray(end, at))
      }
      assert.deepEqual(
        await collect(clientOf(chunks).once()),
        all.map(({ number }) => number),
      )
    }),
    { numRuns: RUNS },
  )
})

test('data in several lines is one text; half an event at the end is dropped', async () => {
  const client = clientOf([bytes('data: {"number":\ndata: 7}\n\ndata: {"number":8}\n')])
  const seen: number[] = []
  await assert.rejects(async () => {
    for await (const { number } of client.once()) seen.push(number)
  }, frameworkErrors.SERVICE_UNAVAILABLE)
  assert.deepEqual(seen, [7])
})

test('bytes that are not UTF-8, items that do not match, lines and events without an end: MALFORMED_REPLY, not an endless wait', async () => {
  const endless = Array.from({ length: 70 }, () => bytes('x'.repeat(65_536)))
  const wrong: (readonly Uint8Array[])[] = [
    [new Uint8Array([0x64, 0xff, 0x0a])],
    [bytes('data: {"number":"one"}\n\n')],
    [bytes('data: {}\n\n')],
    [bytes('data: '), ...endless],
    Array.from({ length: 70 }, () => bytes(`data: ${'x'.repeat(65_536)}\n`)),
  ]
  for (const chunks of wrong)
    for (const call of [clientOf(chunks).once(), clientOf(chunks).again()])
      await assert.rejects(
        collect(call),
        (error: unknown) => error instanceof ApiError && error.code === 'MALFORMED_REPLY',
      )
})

test('what is not a stream is refused, once', async () => {
  await using made = await serverOf(response => head(response, 'text/html').end('<h1>Sign in</h1>'))
  await assert.rejects(
    collect(made.client.again()),
    (error: unknown) => error instanceof ApiError && error.code === 'MALFORMED_REPLY',
  )
  assert.equal(made.requests.length, 1)
})

test('nothing is sent before the iteration begins; each iteration is a connection; leaving closes it', async () => {
  const closed: string[] = []
  await using made = await serverOf((response, { url }) => {
    response.once('close', () => closed.push(url ?? ''))
    head(response).write(itemOf(1) + itemOf(2))
  })
  const items = made.client.again()
  assert.equal(made.requests.length, 0)
  for (let turn = 1; turn <= 2; turn++) {
    for await (const { number } of items) if (number === 2) break
    await until('it is closed', () => closed.length === turn)
  }
  assert.equal(made.requests.length, 2)
  assert.equal(made.requests[0]?.headers.accept, 'text/event-stream')
})

test('with ids, a lost connection, a request to come back and a 503 are resumed after the last item; none is lost or doubled', async () => {
  await using made = await serverOf((response, { headers }, connection) => {
    const last = Number(headers['last-event-id'] ?? 0)
    if (connection === 1) head(response).end(`retry: 1\n\n${itemOf(1)}${itemOf(2)}id: 3\ndata: {"num`)
    if (connection === 2) head(response).end(`${itemOf(last + 1)}event: reconnect\ndata: {}\n\n${itemOf(9)}`)
    if (connection === 3) response.writeHead(503, { 'retry-after': '0' }).end('{}')
    if (connection === 4) response.socket?.destroy()
    if (connection === 5) head(response).write(itemOf(last + 1), () => response.destroy())
    if (connection === 6) response.writeHead(502).end('<h1>Bad gateway</h1>')
    if (connection === 7)
      head(response).end(`event: failure\ndata: {"status":503,"error":"OVERLOADED","message":""}\n\n`)
    if (connection === 8) head(response).end(`${itemOf(last + 1)}event: end\ndata: {}\n\n`)
  })
  assert.deepEqual(await collect(made.client.again()), [1, 2, 3, 4, 5])
  assert.deepEqual(
    made.requests.map(({ headers }) => headers['last-event-id']),
    [undefined, '2', '3', '3', '3', '4', '4', '4'],
  )
})

test('without ids, whatever cuts a stream short is an error: an incomplete list never looks complete', async () => {
  for (const last of ['', 'event: reconnect\ndata: {}\n\n']) {
    await using made = await serverOf(response => head(response).end(`retry: 1\n\n${itemOf(1)}${last}`))
    await assert.rejects(collect(made.client.once()), frameworkErrors.SERVICE_UNAVAILABLE)
    assert.equal(made.requests.length, 1)
  }
})

test('the first connection is not repeated, nor is what is refused for good, nor a declared error, however it comes', async () => {
  const envelope = '{"status":409,"error":"SOLD_OUT","message":"Gone","data":{"after":7}}'
  const scripts: [Script, { [Symbol.hasInstance](error: unknown): boolean }, number][] = [
    [response => response.writeHead(503).end('{}'), ApiError, 1],
    [response => response.socket?.destroy(), frameworkErrors.SERVICE_UNAVAILABLE, 1],
    [response => response.writeHead(409).end(envelope), SOLD_OUT, 1],
    [response => head(response).end(`${itemOf(1)}event: failure\ndata: ${envelope}\n\n`), SOLD_OUT, 1],
    [
      (response, _request, connection) => {
        if (connection === 1) head(response).end(`retry: 1\n\n${itemOf(1)}`)
        else response.writeHead(403).end('{"error":"FORBIDDEN"}')
      },
      frameworkErrors.FORBIDDEN,
      2,
    ],
  ]
  for (const [script, expected, connections] of scripts) {
    await using made = await serverOf(script)
    await assert.rejects(collect(made.client.again()), (error: unknown) => {
      assert.ok(error instanceof expected, String(error))
      if (error instanceof SOLD_OUT) assert.deepEqual(error.data, { after: 7 })
      return true
    })
    assert.equal(made.requests.length, connections)
  }
})

test('it gives up after a dozen attempts in a row that brought nothing', async t => {
  t.mock.method(Math, 'random', () => 0.5)
  await using made = await serverOf((response, _request, connection) => {
    if (connection === 1) head(response).end(`retry: 0\n\n${itemOf(1)}`)
    else response.writeHead(503).end('{"error":"OVERLOADED"}')
  })
  await assert.rejects(collect(made.client.again()), frameworkErrors.OVERLOADED)
  assert.equal(made.requests.length, 13)
})

test('a client that is told to come back next month waits', async () => {
  await using made = await serverOf((response, _request, connection) => {
    if (connection === 1) head(response).end(`retry: 1\n\n${itemOf(1)}`)
    else response.writeHead(503, { 'retry-after': '3000000' }).end('{"error":"OVERLOADED"}')
  })
  const left = new AbortController()
  const call = collect(made.client.again(undefined, { signal: left.signal }))
  await until('it has come back once', () => made.requests.length >= 2)
  await sleep(50)
  left.abort(new Error('enough'))
  await assert.rejects(call, /enough/)
  assert.equal(made.requests.length, 2)
})

test('the signal ends it in every state with its reason: connecting, waiting for an item, waiting to come back', async () => {
  const scripts: Script[] = [
    () => {},
    response => head(response).write(':\n\n'),
    response => head(response).end('retry: 1000000\n\n'),
  ]
  for (const script of scripts) {
    await using made = await serverOf(script)
    const reason = new Error('enough')
    const left = new AbortController()
    const call = collect(made.client.again(undefined, { signal: left.signal }))
    const seen = assert.rejects(call, error => error === reason)
    await until('it has connected', () => made.requests.length === 1)
    left.abort(reason)
    await seen
  }
  await using made = await serverOf(() => {})
  await assert.rejects(collect(made.client.again({}, { signal: AbortSignal.abort(new Error('before')) })), /before/)
  assert.equal(made.requests.length, 0)
})

test('a caller may resume by itself, with the id of the last item that it has stored', async () => {
  const seen: Seen = { pulled: 0, ended: [], resumed: [] }
  await using made = await serve({ handlers: [sell(seen)] })
  const client = createHttpClient(shop, { baseUrl: made.service.url })
  assert.deepEqual(await collect(client.follow({ to: 9 }, { headers: { 'Last-Event-ID': '6' } })), [7, 8, 9])
})

test('property: for all lists, and moments of leaving or failing, a prefix and then the declared end', async () => {
  const seen: Seen = { pulled: 0, ended: [], resumed: [] }
  await using made = await serve({ handlers: [sell(seen)] })
  const client = createHttpClient(shop, { baseUrl: made.service.url })
  const fails = fc.constantFrom(undefined, 'declared', 'unexpected', 'mismatch')
  await fc.assert(
    fc.asyncProperty(fc.nat(40), fails, fc.option(fc.nat(40)), async (to, fail, leave) => {
      const got: number[] = []
      let end: unknown
      try {
        for await (const { number } of client.count({ to, ...(fail ? { fail } : {}) })) {
          got.push(number)
          if (number === leave) break
        }
      } catch (error) {
        end = error
      }
      const left = leave !== null && leave >= 1 && leave <= to
      assert.deepEqual(
        got,
        Array.from({ length: left ? leave : to }, (_, index) => index + 1),
      )
      if (left || !fail) assert.equal(end, undefined)
      else if (fail === 'declared') assert.deepEqual(end instanceof SOLD_OUT && end.data, { after: to })
      else assert.ok(end instanceof frameworkErrors.INTERNAL)
    }),
    { numRuns: RUNS / 4 },
  )
})
