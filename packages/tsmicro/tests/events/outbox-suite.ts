import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import type { NumberedEvent, OutboxStore, StoredEvent } from '../../src/stores/index.ts'
import { until } from '../support/until.ts'

/** An outbox's store, as one process has it. */
export interface OutboxSetting {
  readonly store: Pick<OutboxStore<never>, Exclude<keyof OutboxStore<never>, 'add'>>
  /** One change that announces these events. All are of one aggregate, as a MongoDB document is. */
  commit(events: readonly StoredEvent[], options?: { readonly restart: boolean }): Promise<void>
  /** The same, but the change fails, or is rolled back, after the events were added. */
  abandon(events: readonly StoredEvent[]): Promise<void>
}

/** An event; what is not given is new. */
export function storedEvent(aggregateId: string, event: Partial<StoredEvent> = {}): StoredEvent {
  const type = event.type ?? 'thing'
  return {
    id: randomUUID(),
    subject: `${type}.changed`,
    type,
    aggregateId,
    version: 1,
    time: '2030-01-02T03:04:05.678Z',
    data: JSON.stringify({ aggregateId, text: 'Grüße, 𝒳, \0' }),
    context: { 'x-request-id': 'r1' },
    ...event,
  }
}

/** Relays everything; the stream accepts what `accepts` allows, and numbers it from 1. */
export class TestStream {
  readonly accepted: NumberedEvent[] = []
  accepts: (event: NumberedEvent) => boolean = () => true

  readonly send = async (events: readonly NumberedEvent[]) =>
    events.map(event => (this.accepts(event) ? this.accepted.push(event) : undefined))

  async drain({ store }: OutboxSetting, limit = 1000): Promise<void> {
    while ((await store.relay(this.send, limit)) !== 0);
  }

  /** The numbers of an aggregate's events, in the order of the stream. */
  numbers(aggregateId: string): readonly number[] {
    return this.accepted.filter(event => event.aggregateId === aggregateId).map(({ sequence }) => sequence)
  }
}

const upTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1)

/** What every store does. @param open one with connections of its own, on the same database; each test has aggregates and types of its own */
export function outboxSuite(open: () => Promise<OutboxSetting>): void {
  test('committed events are sent once, as they are, in order and numbered over all subjects; abandoned ones never', async () => {
    const outbox = await open()
    const id = randomUUID()
    const first = storedEvent(id)
    const others = ['thing.created', 'thing.renamed'].map(subject => storedEvent(id, { subject }))
    await outbox.abandon([storedEvent(id)])
    await outbox.commit([first])
    await outbox.abandon([storedEvent(id), storedEvent(id)])
    await outbox.commit(others)
    const stream = new TestStream()
    await stream.drain(outbox)
    await stream.drain(outbox)
    const its = stream.accepted.filter(({ aggregateId }) => aggregateId === id)
    const expected = [first, ...others].map((event, index) => ({ ...event, sequence: index + 1, first: 1 }))
    assert.deepEqual(its.map(only), expected)
  })

  test('several processes change the same aggregates: no number is missing or given twice, and their relays take turns', async () => {
    const settings = await Promise.all([open(), open(), open()])
    const ids = upTo(5).map(() => randomUUID())
    const each = process.env.CI ? 200 : 20
    const stream = new TestStream()
    let relays = 0
    let busy = 0
    const sendAlone = async (events: readonly NumberedEvent[]) => {
      assert.equal(++relays, 1, 'two relays at the same time')
      const numbers = await stream.send(events)
      await new Promise(setImmediate)
      relays -= 1
      return numbers
    }
    let done = false
    const relaying = settings.map(async ({ store }) => {
      for (let left: unknown = 1; !done || left !== 0; ) {
        left = await store.relay(sendAlone, 50)
        if (left === 'busy') busy += 1
      }
    })
    const changing = settings.flatMap(({ commit, abandon }) =>
      ids.map(async id => {
        for (const n of upTo(Math.ceil(each / 3))) {
          await whenThereIsRoom(() => commit([storedEvent(id)]))
          if (n % 5 === 0) await abandon([storedEvent(id)])
        }
      }),
    )
    await Promise.all(changing).finally(async () => {
      done = true
      await Promise.all(relaying)
    })
    for (const id of ids) assert.deepEqual(stream.numbers(id), upTo(3 * Math.ceil(each / 3)))
    assert.ok(busy > 0)
  })

  test('what the stream does not accept is passed again, and nothing else is', async () => {
    const outbox = await open()
    const [bad, good] = [randomUUID(), randomUUID()]
    for (const id of [bad, good, bad, good]) await outbox.commit([storedEvent(id)])
    const stream = new TestStream()
    stream.accepts = ({ aggregateId }) => aggregateId !== bad
    await stream.drain(outbox)
    assert.deepEqual([stream.numbers(bad), stream.numbers(good)], [[], [1, 2]])
    stream.accepts = () => true
    await stream.drain(outbox)
    assert.deepEqual(
      [stream.numbers(bad), stream.numbers(good)],
      [
        [1, 2],
        [1, 2],
      ],
    )
  })

  test('a relay whose sending fails keeps everything', async () => {
    const outbox = await open()
    const id = randomUUID()
    await outbox.commit([storedEvent(id)])
    const broken = () => Promise.reject(new Error('broken'))
    await assert.rejects(outbox.store.relay(broken, 10), /broken/)
    const stream = new TestStream()
    await stream.drain(outbox)
    assert.deepEqual(stream.numbers(id), [1])
  })

  test('a restart says that no lower number is needed', async () => {
    const outbox = await open()
    const id = randomUUID()
    for (const restart of [false, false, true, false]) await outbox.commit([storedEvent(id)], { restart })
    const stream = new TestStream()
    await stream.drain(outbox)
    const firsts = stream.accepted.filter(({ aggregateId }) => aggregateId === id).map(({ first }) => first)
    assert.deepEqual(firsts, [1, 1, 3, 3])
  })

  test('a stream that came back shorter, or is new, is sent again what was kept, in order', async () => {
    const outbox = await open()
    const { store } = outbox
    const [id, other, type] = [randomUUID(), randomUUID(), `t${randomUUID()}`]
    assert.equal(await store.streamState(type), undefined)
    await store.recordStream(type, { created: 'then', lastSequence: 0 })
    for (const _ of upTo(4)) await outbox.commit([storedEvent(id, { type })])
    await outbox.commit([storedEvent(other)])
    const stream = new TestStream()
    await stream.drain(outbox)
    const sent = stream.accepted.length
    const last = stream.accepted.findLastIndex(event => event.type === type) + 1
    // The highest number that the stream has given is recorded with the events.
    assert.deepEqual(await store.streamState(type), { created: 'then', lastSequence: last })

    assert.equal(
      await store.recordStream(type, { created: 'then', lastSequence: last - 2 }, { resendAfter: last - 2 }),
      2,
    )
    assert.deepEqual(await store.streamState(type), { created: 'then', lastSequence: last - 2 })
    await stream.drain(outbox)
    assert.deepEqual(
      stream.accepted.slice(sent).map(({ sequence }) => sequence),
      [3, 4],
    )

    assert.equal(await store.recordStream(type, { created: 'now', lastSequence: 0 }, { resendAfter: 0 }), 4)
    await outbox.commit([storedEvent(id, { type })])
    const again = new TestStream()
    await again.drain(outbox)
    assert.deepEqual(again.numbers(id), upTo(5))
    assert.deepEqual(again.numbers(other), [])
  })

  test('what was sent long enough ago is deleted, and nothing else', async () => {
    const outbox = await open()
    const { store } = outbox
    const [id, type] = [randomUUID(), `t${randomUUID()}`]
    await store.recordStream(type, { created: 'then', lastSequence: 0 })
    const stream = new TestStream()
    for (const _ of upTo(3)) await outbox.commit([storedEvent(id, { type })])
    await stream.drain(outbox)
    await store.clean(600_000)
    assert.equal(await store.recordStream(type, { created: 'now', lastSequence: 0 }, { resendAfter: 0 }), 3)
    await store.clean(0)
    await stream.drain(outbox)
    assert.equal(stream.numbers(id).length, 6)
    // Milliseconds count.
    await new Promise(resolve => setTimeout(resolve, 5))
    await store.clean(1)
    assert.equal(await store.recordStream(type, { created: 'later', lastSequence: 0 }, { resendAfter: 0 }), 0)
    await outbox.commit([storedEvent(id, { type })])
    await stream.drain(outbox)
    assert.equal(stream.numbers(id).at(-1), 4)
  })

  test('erased events are gone, once all are sent: they are not sent again, and the next number is the first', async () => {
    const outbox = await open()
    const { store } = outbox
    const [id, other, type] = [randomUUID(), randomUUID(), `t${randomUUID()}`]
    await store.recordStream(type, { created: 'then', lastSequence: 0 })
    for (const each of [id, other, id]) await outbox.commit([storedEvent(each, { type })])
    const stream = new TestStream()
    await stream.drain(outbox)
    const its = stream.accepted.flatMap(({ aggregateId }, index) => (aggregateId === id ? [index + 1] : []))
    await outbox.commit([storedEvent(id, { type })])
    // The stream may have it already, under a number that nobody knows.
    assert.equal(await store.erase(type, id), 'unsent')
    await stream.drain(outbox)
    // Twice: until it succeeds on the server as well.
    for (let time = 0; time < 2; time++) {
      const erased = await store.erase(type, id)
      assert.ok(erased !== 'unsent')
      assert.deepEqual(
        [...erased].sort((a, b) => a - b),
        [...its, stream.accepted.length],
      )
    }
    assert.deepEqual(await store.erase(type, 'unknown'), [])
    await outbox.commit([storedEvent(id, { type })])
    assert.equal(await store.recordStream(type, { created: 'now', lastSequence: 0 }, { resendAfter: 0 }), 1)
    const again = new TestStream()
    await again.drain(outbox)
    assert.deepEqual(
      again.accepted.map(({ aggregateId, sequence, first }) => [aggregateId, sequence, first]),
      [
        [other, 1, 1],
        [id, 4, 4],
      ],
    )
  })

  test('depth tells what waits', async () => {
    const outbox = await open()
    const stream = new TestStream()
    await stream.drain(outbox)
    assert.deepEqual(await outbox.store.depth(), { pending: 0, oldestMs: 0 })
    const ids = [randomUUID(), randomUUID(), randomUUID()]
    for (const id of ids) await outbox.commit([storedEvent(id)])
    await new Promise(resolve => setTimeout(resolve, 5))
    const { pending, oldestMs } = await outbox.store.depth()
    assert.equal(pending, 3)
    assert.ok(oldestMs > 0 && oldestMs < 600_000, String(oldestMs))
    stream.accepts = ({ aggregateId }) => aggregateId === ids[0]
    await stream.drain(outbox)
    assert.equal((await outbox.store.depth()).pending, 2)
    stream.accepts = () => true
    await stream.drain(outbox)
  })

  test('a process hears of its own commits, and of nothing else', async () => {
    const [mine, others] = [await open(), await open()]
    let heard = 0
    mine.store.onCommitted(() => heard++)
    const id = randomUUID()
    await others.commit([storedEvent(id)])
    await mine.abandon([storedEvent(id)])
    assert.equal(heard, 0)
    await mine.commit([storedEvent(id)])
    assert.equal(heard, 1)
    const stream = new TestStream()
    await stream.drain(mine)
    assert.deepEqual(stream.numbers(id), [1, 2])
  })
}

/** Without what only its store knows. */
function only(event: NumberedEvent): NumberedEvent {
  const { id, subject, type, aggregateId, version, time, data, context, sequence, first } = event
  return { id, subject, type, aggregateId, version, time, data, context, sequence, first }
}

/** Commits as a client would that is told to try again because the relay is behind. */
function whenThereIsRoom(commit: () => Promise<unknown>): Promise<void> {
  return until('there is room', () =>
    commit().then(
      () => true,
      error => {
        if (error instanceof SERVICE_UNAVAILABLE) return false
        throw error
      },
    ),
  )
}
