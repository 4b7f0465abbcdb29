/** Streams at the HTTP door, byte by byte. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { currentContext } from 'tsmicro'
import { bearer } from '../support/providers.ts'
import { serve, type TestServiceOptions } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'
import { type Seen, sell } from './shop.ts'

async function open(own: Parameters<typeof sell>[1] = {}, more: TestServiceOptions = {}) {
  const seen: Seen = { pulled: 0, ended: [], resumed: [] }
  const made = await serve({ ...more, handlers: [sell(seen, own)] })
  const { url } = made.service
  const get = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { headers, ...init })
  const requests = () => made.log.lines.filter(({ message }) => message === 'request').map(({ fields }) => fields)
  return { ...made, seen, url, get, requests }
}

const decoded = (chunk?: { readonly value?: Uint8Array | undefined }) => new TextDecoder().decode(chunk?.value)

const LINES = { accept: 'application/jsonl' }

test('server-sent events: a retry time, an item each, and the end; nothing is stored, changed or held back on the way', async () => {
  await using made = await open()
  const answer = await made.get('/count?to=2')
  assert.equal(answer.status, 200)
  const { headers } = answer
  assert.equal(headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.equal(headers.get('cache-control'), 'no-store, no-transform')
  assert.equal(headers.get('x-accel-buffering'), 'no')
  assert.ok(headers.get('x-request-id'))
  const text = await answer.text()
  assert.match(text, /^retry: [123]\d{3}\n\n/)
  assert.equal(
    text.slice(text.indexOf('\n\n') + 2),
    'data: {"number":1}\n\ndata: {"number":2}\n\nevent: end\ndata: {}\n\n',
  )
  await until('it is logged', () => made.requests().length === 1)
  const { route, status, items, ended } = made.requests()[0] ?? {}
  assert.deepEqual([route, status, items, ended], ['/count', 200, 2, 'end'])
})

test('JSON lines for who asks for them: items, their ids, and the end', async () => {
  await using made = await open()
  const answer = await made.get('/follow?to=2', LINES)
  assert.equal(answer.headers.get('content-type'), 'application/jsonl')
  assert.equal(await answer.text(), '{}\n{"id":"1","item":{"number":1}}\n{"id":"2","item":{"number":2}}\n{"end":{}}\n')
  const older = await made.get('/count?to=0', { accept: 'application/x-ndjson, application/json' })
  assert.equal(older.headers.get('content-type'), 'application/x-ndjson')
  assert.equal(await older.text(), '{}\n{"end":{}}\n')
  const both = await made.get('/count?to=0', { accept: 'application/jsonl, text/event-stream' })
  assert.match(String(both.headers.get('content-type')), /^text\/event-stream/)
  await both.text()
})

test('a failure before the first item has its own status; one later is an event with the same envelope', async () => {
  await using made = await open()
  const early = await made.get('/count?to=0&fail=declared')
  assert.equal(early.status, 409)
  assert.match(String(early.headers.get('content-type')), /^application\/json/)
  const { requestId: _, ...envelope } = (await early.json()) as Record<string, unknown>
  assert.deepEqual(envelope, { code: '10001', status: 409, message: 'Sold out', error: 'SOLD_OUT', data: { after: 0 } })
  const late = await made.get('/count?to=1&fail=declared')
  assert.equal(late.status, 200)
  const [, data = ''] = /\ndata: \{"number":1\}\n\nevent: failure\ndata: (.*)\n\n$/.exec(await late.text()) ?? []
  const { requestId, ...same } = JSON.parse(data)
  assert.deepEqual(same, { ...envelope, data: { after: 1 } })
  assert.equal(requestId, late.headers.get('x-request-id'))
  const line = await made.get('/count?to=0&fail=mismatch', LINES)
  assert.equal(line.status, 500)
  await until('all are logged', () => made.requests().length === 3)
  assert.equal(made.requests()[1]?.ended, 'SOLD_OUT')
})

test('what a handler throws undeclared, and an item that does not match, is INTERNAL, logged, and reveals nothing', async () => {
  await using made = await open()
  for (const fail of ['unexpected', 'mismatch']) {
    const text = await (await made.get(`/count?to=1&fail=${fail}`, LINES)).text()
    assert.match(text, /^\{\}\n\{"item":\{"number":1\}\}\n\{"failure":\{.*"error":"INTERNAL".*\}\}\n$/)
    assert.doesNotMatch(text, /secret/)
  }
  const logged = made.log.at('error').map(({ fields }) => String((fields.err as Error).message))
  assert.deepEqual(logged, ['secret', 'the response does not match its schema: number must be integer'])
})

test('items are pruned to their schema', async () => {
  await using made = await open({ made: () => [{ number: 1, password: 'secret' } as { number: number }] })
  assert.equal(await (await made.get('/made', LINES)).text(), '{}\n{"item":{"number":1}}\n{"end":{}}\n')
})

test('a handler may return any iterable: a list, a promise of one, a web stream; anything else is our mistake', async () => {
  const returned: (() => unknown)[] = [
    () => [{ number: 1 }],
    async () => new Set([{ number: 1 }]),
    () => ReadableStream.from([{ number: 1 }]),
    () => ({ [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: { number: 1 } }) }) }),
  ]
  for (const each of returned) {
    await using made = await open({ made: each as never })
    const answer = await made.get('/made', LINES)
    const reader = answer.body?.getReader()
    let text = ''
    while (!text.includes('item')) text += decoded(await reader?.read())
    assert.match(text, /^\{\}\n\{"item":\{"number":1\}\}\n/)
    await reader?.cancel()
  }
  for (const wrong of [undefined, null, 7, 'text', { number: 1 }, Promise.resolve()]) {
    await using made = await open({ made: () => wrong as never })
    assert.equal((await made.get('/made')).status, 500)
    assert.match(String(made.log.at('error')[0]?.fields.err), /must be an async iterable/)
  }
})

test('access is checked before; HEAD answers the head without asking the handler', async () => {
  const asked: string[] = []
  await using made = await open({
    mine: () => {
      asked.push('mine')
      return []
    },
  })
  assert.equal((await made.get('/mine')).status, 401)
  assert.equal((await made.get('/mine', bearer('ada.READER'))).status, 403)
  const head = await made.get('/mine', bearer('ada.WRITER'), { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.match(String(head.headers.get('content-type')), /^text\/event-stream/)
  assert.deepEqual(asked, [])
  assert.equal((await made.get('/mine', bearer('ada.WRITER'))).status, 200)
  assert.deepEqual(asked, ['mine'])
  assert.equal((await made.get('/count?to=many')).status, 400)
})

test('a stream opens at once, although its first item is far away', async () => {
  await using made = await open({ made: ({ signal }) => later(signal) })
  const left = new AbortController()
  const answer = await made.get('/made', {}, { signal: left.signal })
  assert.equal(answer.status, 200)
  assert.match(decoded(await answer.body?.getReader().read()), /^retry: \d+\n\n$/)
  left.abort()
})

async function* later(signal: AbortSignal): AsyncGenerator<{ number: number }, void> {
  await sleep(2 ** 30, undefined, { signal })
  yield { number: 1 }
}

test('a client that leaves ends the handler, whether it waits or yields; its log line says so', async () => {
  await using made = await open()
  for (const path of ['/count', '/short']) {
    const before = made.seen.ended.length
    const answer = await made.get(path)
    const reader = answer.body?.getReader()
    while (!decoded(await reader?.read()).includes('data'));
    await reader?.cancel()
    if (path === '/count') await until('the handler is told', () => made.seen.ended.length > before)
  }
  assert.equal(made.seen.ended[0], 'CallerGoneError')
  await until('both are logged', () => made.requests().length === 2)
  const [first] = made.requests()
  assert.deepEqual([first?.status, first?.ended], [499, 'left'])
  assert.ok(Number(first?.items) >= 1)
  assert.deepEqual(made.log.at('error'), [])
})

test('the handler waits for a slow reader: what is made and not read stays bounded', async () => {
  await using made = await open({ made: () => bulky(made.seen) })
  const socket = await dial(made.url)
  socket.pause()
  socket.write('GET /made HTTP/1.1\r\nhost: x\r\n\r\n')
  // It stops when the buffers of both ends are full: then ten looks in a row see the same number.
  let same = 0
  for (let last = -1; same < 10; same = made.seen.pulled === last ? same + 1 : 0) {
    last = made.seen.pulled
    await sleep(10)
  }
  const held = made.seen.pulled
  assert.ok(held > 0 && held < 20_000, `${held} items of a kilobyte`)
  let bytes = 0
  socket.on('data', chunk => {
    bytes += chunk.length
  })
  socket.resume()
  await until('all that was held is read, and more is made', () => bytes > held * 1024 && made.seen.pulled > held)
  socket.destroy()
})

async function* bulky(seen: Seen): AsyncGenerator<{ number: number; name: string }, void> {
  for (let number = 1; ; number++) {
    seen.pulled = number
    yield { number, name: 'x'.repeat(1024) }
    if (number % 100 === 0) await turn()
  }
}

test('every step runs in the context of its call, the last one as well', async () => {
  const ids: (string | undefined)[] = []
  const see = () => void ids.push(currentContext()?.requestId)
  await using made = await open({
    async *made() {
      try {
        see()
        yield { number: 1 }
        see()
        await sleep(1)
        see()
        yield { number: 2 }
      } finally {
        see()
      }
    },
  })
  await (await made.get('/made', { 'x-request-id': 'mine' })).text()
  assert.deepEqual(ids, ['mine', 'mine', 'mine', 'mine'])
})

test('the last id is given to the handler, in whatever script; ids that no header could carry are our mistake', async () => {
  await using made = await open()
  const post = (items: unknown, headers: Record<string, string> = {}) =>
    made.get(
      '/named',
      { 'content-type': 'application/json', ...headers },
      { method: 'POST', body: JSON.stringify(items) },
    )
  const text = await (await post([{ key: 'Ä 語' }, { key: '7', text: 'a\nb' }])).text()
  assert.match(text, /\nid: Ä 語\ndata: \{"key":"Ä 語"\}\n\nid: 7\ndata: \{"key":"7","text":"a\\nb"\}\n\n/)
  await post([], { 'last-event-id': Buffer.from('Ä 語').toString('latin1') })
  assert.deepEqual(made.seen.resumed, [undefined, 'Ä 語'])
  for (const key of ['', ' a', 'a ', 'a\nb', 'a\0', 'a\u0085b', '\ud800', 'x'.repeat(1025)])
    assert.equal((await post([{ key }])).status, key === '\ud800' || key === 'a\0' ? 400 : 500, JSON.stringify(key))
})

test('idle and total budgets tell the client to come back, however the handler reacts', async () => {
  await using made = await open({
    idle: async function* () {
      yield { number: 1 }
      await new Promise(() => {})
    },
  })
  for (const path of ['/idle', '/short']) {
    const text = await (await made.get(path, LINES)).text()
    assert.match(text, /"item":\{"number":1\}\}\n\{"reconnect":\{\}\}\n$/)
  }
  await until('both are logged', () => made.requests().length === 2)
  assert.deepEqual(
    made.requests().map(({ ended, items }) => [ended, items]),
    [
      ['reconnect', 1],
      ['reconnect', 1],
    ],
  )
  assert.deepEqual(made.log.at('error'), [])
})

test('the time-out of the handler counts until it has returned the stream, and not after that', async () => {
  await using hanging = await open({ quick: () => new Promise<never>(() => {}) })
  assert.equal((await hanging.get('/quick')).status, 504)
  await using made = await open({
    async *quick({ context, signal }) {
      await sleep(60)
      yield { number: signal.aborted ? 0 : 1, name: String(context.deadline.remainingMs() > 60_000) }
    },
  })
  assert.match(await (await made.get('/quick', LINES)).text(), /\{"number":1,"name":"true"\}/)
})
