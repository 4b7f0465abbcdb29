/** How many streams a service has, and how it stops with them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve, type TestServiceOptions } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'
import { hanging, type Seen, sell } from './shop.ts'

/** Only ends a hang, which would be visible in the log. */
const NEVER_MS = 60_000

async function open(own: Parameters<typeof sell>[1] = {}, more: TestServiceOptions = {}) {
  const seen: Seen = { pulled: 0, ended: [], resumed: [] }
  const made = await serve({ drainTimeoutMs: NEVER_MS, ...more, handlers: [sell(seen, own)] })
  const gaveUp = () => made.log.lines.filter(({ message }) => message.startsWith('gave up'))
  return { ...made, seen, gaveUp }
}

test('an open stream holds none of the places of requests, but one of those of streams; beyond these it is OVERLOADED', async () => {
  const limits = { maxConcurrent: 1, maxQueued: 0, maxStreams: 3 }
  await using made = await open({ made: ({ signal }) => hanging(signal) }, { limits })
  const left = new AbortController()
  const url = `${made.service.url}/made`
  for (let index = 0; index < 3; index++) assert.equal((await fetch(url, { signal: left.signal })).status, 200)
  const refused = await fetch(url)
  assert.equal(refused.status, 503)
  assert.equal(refused.headers.get('retry-after'), '1')
  assert.equal(((await refused.json()) as { error: string }).error, 'OVERLOADED')
  assert.deepEqual(
    made.log.at('warn').map(({ message, fields }) => [message, fields.route]),
    [['overloaded: requests are refused', 'GET /made']],
  )
  left.abort()
  await until('the places are free again', async () => {
    const again = await fetch(url)
    await again.body?.cancel()
    return again.status === 200
  })
})

test('a stop tells every client to come back, and waits neither for a handler that hangs nor for a stream that ends by itself', async () => {
  const made = await open({
    made: ({ signal }) => hanging(signal),
    async *quick() {
      yield { number: 1 }
      await new Promise(() => {})
    },
  })
  const paths = ['/made', '/quick', '/short', '/count']
  const answers = await Promise.all(paths.map(path => fetch(`${made.service.url}${path}`)))
  const texts = answers.map(answer => answer.text())
  await made.service.stop()
  for (const text of await Promise.all(texts)) assert.match(text, /\n\nevent: reconnect\ndata: \{\}\n\n$/)
  assert.deepEqual(made.gaveUp(), [])
  assert.deepEqual(made.log.at('error'), [])
})

test('a client that reads nothing does not hold up a stop', async () => {
  const made = await open()
  const socket = await dial(made.service.url)
  socket.pause()
  socket.write('GET /count HTTP/1.1\r\nhost: x\r\n\r\n')
  await until('the stream is under way', () => made.seen.pulled > 100)
  await made.service.stop()
  assert.deepEqual(made.gaveUp(), [])
  assert.deepEqual(made.seen.ended, ['ComeBackError'])
  socket.destroy()
})

/** A stream whose last bytes the kernel does not take, as its client reads nothing. */
async function openUnread(more: TestServiceOptions) {
  const ended = Promise.withResolvers<Socket>()
  let accepted: Socket | undefined
  const made = await open(
    {
      async *made() {
        for (let number = 1; ; number++) {
          for (let looks = 0; accepted && accepted.writableLength > 0; looks++) {
            if (looks === 10) return ended.resolve(accepted)
            await sleep(5)
          }
          yield { number, name: 'x'.repeat(1024) }
        }
      },
    },
    { ...more, routes: ({ fastify }) => void fastify.server.on('connection', socket => (accepted = socket)) },
  )
  const client = await dial(made.service.url)
  client.pause()
  client.write('GET /made HTTP/1.1\r\nhost: x\r\n\r\n')
  return { ...made, client, accepted: await ended.promise }
}

test('a client that does not read the last bytes is cut off', async () => {
  const { service, client, accepted } = await openUnread({ http: { sendTimeoutMs: 100 } })
  await once(accepted, 'close')
  client.destroy()
  await service.stop()
})

test('a client that does not read the last bytes holds up no stop', async () => {
  const { service, client, gaveUp } = await openUnread({ http: { sendTimeoutMs: 600_000 } })
  await service.stop()
  client.destroy()
  assert.deepEqual(gaveUp(), [])
})

test('a Node stream that nobody will read is closed: the handler was late, or the service stops', async () => {
  const returned = Promise.withResolvers<void>()
  const entered: string[] = []
  const late = Readable.from([{ number: 1 }])
  const unread = Readable.from([{ number: 1 }])
  const made = await open({
    async quick() {
      await returned.promise
      return late
    },
    async made() {
      entered.push('made')
      await returned.promise
      return unread
    },
  })
  assert.equal((await fetch(`${made.service.url}/quick`)).status, 504)
  const answer = fetch(`${made.service.url}/made`).then(response => response.text())
  await until('the other is worked on', () => entered.length === 1)
  const stopped = made.service.stop()
  await until('it stops', async () => (await made.service.health()).status === 'draining')
  returned.resolve()
  await Promise.all([answer, stopped])
  assert.deepEqual([late.destroyed, unread.destroyed], [true, true])
})

test('the signal aborts when a stream ends because of an item that does not match', async () => {
  await using made = await open({
    async *made({ signal }) {
      try {
        yield { number: 'one' } as never
      } finally {
        made.seen.ended.push(signal.reason?.code)
      }
    },
  })
  assert.equal((await fetch(`${made.service.url}/made`)).status, 500)
  await until('the handler is told', () => made.seen.ended.length === 1)
  assert.deepEqual(made.seen.ended, ['INTERNAL'])
})

test('a stream that is asked for while the service stops is opened and told to come back', async () => {
  const entered = Promise.withResolvers<void>()
  const returned = Promise.withResolvers<void>()
  const made = await open({
    async made({ signal }) {
      entered.resolve()
      await returned.promise
      return hanging(signal)
    },
  })
  const answer = fetch(`${made.service.url}/made`)
  await entered.promise
  const stopped = made.service.stop()
  await until('it stops', async () => (await made.service.health()).status === 'draining')
  returned.resolve()
  assert.match(await (await answer).text(), /event: reconnect\ndata: \{\}\n\n$/)
  await stopped
  assert.deepEqual(made.gaveUp(), [])
})
