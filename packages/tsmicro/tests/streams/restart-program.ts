/** A program: a service restarts under its streams. Fails unless the stop waits for none of them, and every client has every item once. */
import assert from 'node:assert/strict'
import { EventEmitter, once, setMaxListeners } from 'node:events'
import { createHttpClient } from 'tsmicro/client'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { type Seen, sell, shop } from './shop.ts'

const CLIENTS = Number(process.argv[2])
/** Only ends a hang, which would be visible in the log. */
const NEVER_MS = 60_000

/** What is stored, and outlives the service. */
class Feed {
  readonly #changes = new EventEmitter().setMaxListeners(0)
  newest = 0

  add(): void {
    this.newest += 1
    this.#changes.emit('change')
  }

  async *after(last: number, signal: AbortSignal): AsyncGenerator<{ number: number }, void> {
    for (let number = last + 1; ; number++) {
      while (number > this.newest) await once(this.#changes, 'change', { signal })
      yield { number }
    }
  }
}

const feed = new Feed()
const start = async (port: number) => {
  const seen: Seen = { pulled: 0, ended: [], resumed: [] }
  const made = await serve({
    http: { port },
    drainTimeoutMs: NEVER_MS,
    handlers: [
      sell(seen, {
        follow({ lastEventId, signal }) {
          seen.resumed.push(lastEventId)
          return feed.after(Number(lastEventId ?? 0), signal)
        },
      }),
    ],
  })
  return { ...made, seen }
}
const first = await start(0)
const { url } = first.service
const client = createHttpClient(shop, { baseUrl: url })
const left = new AbortController()
setMaxListeners(0, left.signal)
const received = Array.from({ length: CLIENTS }, (): number[] => [])
const clients = received.map(async numbers => {
  for await (const { number } of client.follow({}, { signal: left.signal })) numbers.push(number)
})
const failed: unknown[] = []
for (const each of clients) each.catch(error => failed.push(error))
const all = (newest: number) => failed.length > 0 || received.every(numbers => numbers.at(-1) === newest)

for (let turn = 0; turn < 5; turn++) feed.add()
await until('all have the first items', () => all(5))
const stopped = first.service.stop()
// Each is sent to every client, by one process.
const more = setInterval(() => feed.add(), CLIENTS / 4)
await stopped
assert.deepEqual(
  first.log.lines.filter(({ message }) => message.startsWith('gave up')),
  [],
)
await using second = await start(Number(new URL(url).port))
await until('all are back', () => second.seen.resumed.length === CLIENTS)
clearInterval(more)
await until('all have everything', () => all(feed.newest))
assert.deepEqual(failed, [])
const expected = Array.from({ length: feed.newest }, (_, index) => index + 1)
for (const numbers of received) assert.deepEqual(numbers, expected)
assert.equal(second.seen.resumed.length, CLIENTS)
left.abort()
await Promise.allSettled(clients)
