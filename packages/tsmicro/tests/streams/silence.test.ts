/** Signs of life on a stream with nothing to send, and what a client does without them. The clock is the test's own. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createHttpClient } from 'tsmicro/client'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { type Seen, sell, shop } from './shop.ts'

const decoder = new TextDecoder()

/** A stream whose items a test makes, and what a client receives of it. */
async function open(accept: string) {
  const seen: Seen = { pulled: 0, ended: [], resumed: [] }
  let next = Promise.withResolvers<number>()
  const made = await serve({
    handlers: [
      sell(seen, {
        async *made() {
          for (;;) yield { number: await next.promise }
        },
      }),
    ],
  })
  const answer = await fetch(`${made.service.url}/made`, { headers: { accept } })
  const reader = answer.body?.getReader()
  const send = (number: number) => {
    const last = next
    next = Promise.withResolvers()
    last.resolve(number)
  }
  const read = async () => decoder.decode((await reader?.read())?.value)
  const dispose = async () => {
    await reader?.cancel()
    await made.service.stop()
  }
  return { send, read, [Symbol.asyncDispose]: dispose }
}

/** Replaces intervals, because those of `mock.timers` ignore `refresh`. Returns what lets time pass. */
function mockIntervals(t: TestContext): (ms: number) => void {
  const intervals: { dueMs: number; readonly tick: () => void }[] = []
  let nowMs = 0
  t.mock.method(globalThis, 'setInterval', (callback: () => void, ms: number) => {
    const tick = () => {
      interval.refresh()
      callback()
    }
    const refresh = () => {
      interval.dueMs = nowMs + ms
      return interval
    }
    const interval = { dueMs: nowMs + ms, tick, refresh, unref: () => interval }
    intervals.push(interval)
    return interval
  })
  return ms => {
    nowMs += ms
    for (const { dueMs, tick } of intervals) if (dueMs <= nowMs) tick()
  }
}

for (const [accept, comment, item] of [
  ['text/event-stream', ':\n\n', (number: number) => `data: {"number":${number}}\n\n`],
  ['application/jsonl', '{}\n', (number: number) => `{"item":{"number":${number}}}\n`],
] as const) {
  test(`${accept}: a sign of life after 15 s of silence, and after 15 s more; an item is one, too`, async t => {
    const passes = mockIntervals(t)
    await using made = await open(accept)
    await made.read()
    passes(14_999)
    made.send(1)
    assert.equal(await made.read(), item(1))
    passes(14_999)
    made.send(2)
    assert.equal(await made.read(), item(2))
    passes(15_000)
    assert.equal(await made.read(), comment)
    passes(15_000)
    assert.equal(await made.read(), comment)
    made.send(3)
    assert.equal(await made.read(), item(3))
  })
}

/** Answers of a service, and how a client reads them. */
function connections() {
  const opened: { readonly last: string | null; readonly send: (text: string) => Promise<void> }[] = []
  const fetch = async (_url: URL, { headers }: RequestInit) => {
    const controllerOf = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>()
    let asked = Promise.withResolvers<void>()
    let sent = Promise.withResolvers<void>()
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      controllerOf.resolve(controller)
      const last = asked
      asked = Promise.withResolvers()
      last.resolve()
      return sent.promise
    }
    const body = new ReadableStream({ pull }, { highWaterMark: 0 })
    opened.push({
      last: new Headers(headers).get('last-event-id'),
      /** Resolves when the client waits for more. */
      async send(text) {
        const controller = await controllerOf.promise
        const more = asked.promise
        const last = sent
        sent = Promise.withResolvers()
        controller.enqueue(new TextEncoder().encode(text))
        last.resolve()
        await more
      },
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  return { opened, fetch }
}

test('a client comes back after 45 s without a sign of life, and not before', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { opened, fetch } = connections()
  const left = new AbortController()
  const client = createHttpClient(shop, { baseUrl: 'http://shop', fetch })
  const items = client.follow({}, { signal: left.signal })[Symbol.asyncIterator]()
  const first = items.next()
  await until('it has connected', () => opened.length === 1)
  const [connection = assert.fail()] = opened
  await connection.send('retry: 1000\n\n')
  t.mock.timers.tick(44_999)
  await connection.send(':\n\n')
  t.mock.timers.tick(44_999)
  // What has been lost by then would not be read.
  const read = connection.send('id: 7\ndata: {"number":7}\n\n')
  assert.deepEqual((await first).value, { number: 7 })
  const second = items.next()
  await read
  t.mock.timers.tick(44_999)
  await connection.send(':\n\n')
  t.mock.timers.tick(45_000)
  await until('it waits to come back, and comes back', () => {
    t.mock.timers.tick(1000)
    return opened.length === 2
  })
  const [, again = assert.fail()] = opened
  assert.equal(again.last, '7')
  again.send('id: 8\ndata: {"number":8}\n\n')
  assert.deepEqual((await second).value, { number: 8 })
  const third = assert.rejects(Promise.resolve(items.next()), /enough/)
  left.abort(new Error('enough'))
  await third
})
