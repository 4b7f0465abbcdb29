import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { dial, exchange } from '../support/socket.ts'
import { until } from '../support/until.ts'

const shop = contract('shop', {
  echo: procedure({ http: 'POST /echo', access: 'key', input: Type.Any(), output: Type.Any() }),
  late: procedure({ http: 'GET /late', access: 'key', timeoutMs: 50 }),
  hang: procedure({ http: 'GET /hang', access: 'key' }),
  trace: procedure({ http: 'GET /trace', access: 'key', output: Type.Any() }),
})
const aborted: { name: string; reason: string }[] = []
let hanging = 0
const made = await serve({
  // Long enough for a busy machine to read what is sent whole.
  http: { receiveTimeoutMs: 3000 },
  handlerTimeoutMs: 60_000,
  handlers: [
    implement(shop, {
      echo: ({ input }) => input,
      late: async ({ signal }) => {
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        aborted.push({ name: 'late', reason: (signal.reason as Error).name })
      },
      hang: async ({ signal }) => {
        hanging += 1
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        aborted.push({ name: 'hang', reason: (signal.reason as Error).name })
      },
      trace: ({ context }) => [context.traceparent ?? null, context.requestId, context.door],
    }),
  ],
})
after(() => made.service.stop())
const { service, log } = made
const bodyOf = (text: string) => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))

test('a handler that takes too long is answered 504, and its signal aborts', async () => {
  const answer = await fetch(`${service.url}/late`)
  assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [504, 'DEADLINE_EXCEEDED'])
  await until('the signal aborted', () => aborted.some(({ name }) => name === 'late'))
  assert.equal(aborted[0]?.reason, 'DEADLINE_EXCEEDED')
})

test('a client that goes away aborts the signal; nothing is logged as our error', async () => {
  const errors = log.at('error').length
  const socket = await dial(service.url)
  socket.write('GET /hang HTTP/1.1\r\nhost: x\r\n\r\n')
  await until('the handler works', () => hanging === 1)
  socket.destroy()
  await until('the signal aborted', () => aborted.some(({ name }) => name === 'hang'))
  assert.equal(aborted.find(({ name }) => name === 'hang')?.reason, 'CallerGoneError')
  await until('the access log has it', () => log.lines.some(({ fields }) => fields.status === 499))
  const line = log.lines.find(({ fields }) => fields.status === 499)
  assert.ok(Number(line?.fields.ms) > 0, 'and how long it took')
  assert.equal(log.at('error').length, errors)
})

test('a body that does not arrive in time is 408', async () => {
  const text = await exchange(
    service.url,
    'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"a"',
  )
  assert.match(text, /^HTTP\/1.1 408 Request Timeout\r\n/)
  assert.equal(bodyOf(text).error, 'REQUEST_TIMEOUT')
})

test('pipelined requests are answered in order', async () => {
  const one = (n: number) =>
    `POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n${n}`
  const text = await exchange(
    service.url,
    `${one(1)}${one(2)}GET /trace HTTP/1.1\r\nhost: x\r\nx-request-id: p-3\r\nconnection: close\r\n\r\n`,
  )
  assert.deepEqual(
    [...text.matchAll(/"data":(\d|\[.*?\])/g)].map(([, data]) => data),
    ['1', '2', '[null,"p-3","http"]'],
  )
})

test('huge headers are 431, garbage is 400, both in our envelope with a request id', async () => {
  const huge = await exchange(service.url, `GET /trace HTTP/1.1\r\nhost: x\r\nx-big: ${'x'.repeat(100_000)}\r\n\r\n`)
  assert.match(huge, /^HTTP\/1.1 431 /)
  assert.equal(bodyOf(huge).error, 'HEADERS_TOO_LARGE')
  for (const garbage of ['\0\0\0\r\n\r\n', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `${'x'.repeat(300)}\r\n\r\n`]) {
    const text = await exchange(service.url, garbage)
    assert.match(text, /^HTTP\/1.1 400 Bad Request\r\n/)
    assert.deepEqual([bodyOf(text).error, bodyOf(text).code], ['MALFORMED_REQUEST', '10001'])
    assert.match(text, new RegExp(`x-request-id: ${bodyOf(text).requestId}`))
  }
})

test('contradictory framing is refused', async () => {
  const text = await exchange(
    service.url,
    'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  )
  assert.match(text, /^HTTP\/1.1 400 /)
})

test('a well-formed traceparent is taken over, another one ignored', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const get = async (value: string) => {
    const answer = await fetch(`${service.url}/trace`, { headers: { traceparent: value } })
    return ((await answer.json()) as { data: unknown[] }).data[0]
  }
  assert.equal(await get(traceparent), traceparent)
  assert.equal(await get('junk'), null)
})

test('the server is well after all of this', async () => {
  assert.equal((await fetch(`${service.url}/health`)).status, 200)
  assert.deepEqual(log.at('error'), [])
})
