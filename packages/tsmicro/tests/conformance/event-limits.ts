import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { currentContext } from 'tsmicro'
import { openStage, type Sent, sized } from '../events/stage.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** What hangs, what stops and what lags behind. */
export async function eventLimits(open: OpenNetwork) {
  test('a handler that hangs delays no other aggregate, and nothing that it writes later counts', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const hung = Promise.withResolvers<void>()
    let calls = 0
    let refused: unknown
    let aborted = false
    const { engine, log } = await stage.replica(
      async event => {
        const { id, n } = event.data
        if (id === 'slow' && n === 1 && calls++ === 0) {
          const signal = currentContext()?.deadline.signal
          signal?.addEventListener('abort', () => {
            aborted = true
          })
          await hung.promise
          await inbox.record(event, -1).catch(error => {
            refused = error
            throw error
          })
        }
        await inbox.record(event, n)
      },
      { pace: { timeoutMs: 200, concurrency: 2 } },
    )
    const others: Sent[] = Array.from({ length: 2000 }, (_, n) => ({ id: `i${n % 100}`, n: Math.floor(n / 100) + 1 }))
    const slow: Sent[] = Array.from({ length: 600 }, (_, n) => ({ id: 'slow', n: n + 1 }))
    await stage.published(...slow, ...others)
    await until('all others are handled', () => inbox.effects.length === 2000)
    await until('its signal aborts', () => aborted)
    const said = () => log.at('warn').filter(({ message }) => message.startsWith('a handler has not ended'))
    await until('it is said, and again', () => said().length >= 2)
    const [{ runningMs: first, ...fields } = {}, { runningMs: second } = {}] = said().map(({ fields }) => fields)
    assert.deepEqual(fields, { subject: 'item.created', eventId: 'slow-1', handler: 'items' })
    assert.ok(Number(second) >= 2 * Number(first) - 1, `after ${first} and after ${second} ms`)
    assert.equal(engine.status[0]?.overdue, 1)
    assert.equal(calls, 1, 'it is not tried again while it still runs')
    hung.resolve()
    await until('its own aggregate goes on', () => inbox.of('slow').length === 600)
    assert.equal(engine.status[0]?.overdue, 0)
    assert.equal((refused as Error).name, 'AlreadyHandledError')
    assert.deepEqual(
      inbox.of('slow'),
      slow.map(({ n }) => n),
    )
    assert.deepEqual(await engine.repairs.dead({}), [])
  })

  test('an aggregate that is stuck with large events leaves room for all others', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const stuck = Promise.withResolvers<void>()
    await stage.replica(async event => {
      const { id, n } = event.data
      if (id === 'large' && n === 1) await stuck.promise
      await inbox.record(event, n)
    })
    const text = 'x'.repeat(900_000)
    const numbers = Array.from({ length: 20 }, (_, n) => n + 1)
    for (const n of numbers) await stage.published({ id: 'large', n, data: { id: 'large', n, text } })
    await stage.published({ id: 'small', n: 1 })
    await until('the other one goes on', () => inbox.of('small').length === 1)
    stuck.resolve()
    await until('all are handled', () => inbox.of('large').length === numbers.length)
    assert.deepEqual(inbox.of('large'), numbers)
  })

  test('stopped in the middle: what runs ends, the rest is handed back, nothing runs afterwards, nothing is lost', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const count = sized(4000)
    const sent: Sent[] = Array.from({ length: count }, (_, n) => ({ id: `i${n % 40}`, n: Math.floor(n / 40) + 1 }))
    let stopped = false
    let after = 0
    const first = await stage.replica(async event => {
      if (stopped) after += 1
      await sleep(3)
      await inbox.record(event, event.data.n)
      if (stopped) after += 1
    })
    await stage.published(...sent)
    await until('it is in the middle', () => inbox.effects.length >= count / 8)
    await first.stop()
    stopped = true
    const done = inbox.effects.length
    assert.ok(done < count, 'there is something left')
    const second = await stage.replica(async event => inbox.record(event, event.data.n), {
      pace: { ackWaitMs: 60_000 },
    })
    await until('the next instance handles the rest at once', () => inbox.effects.length === count)
    assert.equal(after, 0)
    assert.equal(second.engine.status[0]?.handled, count - done)
    for (let id = 0; id < 40; id++)
      assert.deepEqual(
        inbox.of(`i${id}`),
        [...inbox.of(`i${id}`)].sort((one, other) => one - other),
      )
  })

  test('stopped: what only waits for others to end is handed back at once, and does not begin', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const running = Promise.withResolvers<void>()
    const begun: string[] = []
    const first = await stage.replica(
      async event => {
        begun.push(event.data.id)
        await running.promise
        await inbox.record(event, event.data.n)
      },
      { pace: { concurrency: 1 } },
    )
    await stage.published(...['a', 'b', 'c'].map(id => ({ id, n: 1 })))
    await until('one runs and two wait', () => begun.length === 1 && first.engine.status[0]?.inFlight === 3)
    const stopped = first.stop()
    await stage.replica(event => inbox.record(event, event.data.n))
    await until('another instance has them', () => inbox.effects.length === 2)
    running.resolve()
    await stopped
    await stage.idle()
    assert.deepEqual(begun, ['a'])
    assert.deepEqual(inbox.effects.map(({ aggregateId }) => aggregateId).sort(), ['a', 'b', 'c'])
  })

  test('a handler that does not end is told to, and recorded no more, when the time of the stop is over', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const hung = Promise.withResolvers<void>()
    let aborted: unknown
    let refused: unknown
    let begun = 0
    const first = await stage.replica(async event => {
      begun += 1
      const signal = currentContext()?.deadline.signal
      signal?.addEventListener('abort', () => {
        aborted = signal.reason
      })
      await hung.promise
      await inbox.record(event, event.data.n).catch(error => {
        refused = error
      })
    })
    await stage.published({ id: 'a', n: 1 }, { id: 'a', n: 2 })
    await until('it runs', () => begun === 1)
    await first.stop(50)
    assert.match(String(aborted), /has stopped/)
    hung.resolve()
    await until('it has ended', () => refused !== undefined)
    assert.equal((refused as Error).name, 'AlreadyHandledError')
    assert.equal(begun, 1)
    await stage.replica(event => inbox.record(event, event.data.n))
    await until('another instance handles both', () => inbox.of('a').length === 2)
    assert.deepEqual(inbox.of('a'), [1, 2])
  })

  test('a consumer that was down catches up with bounded memory', async t => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const count = sized(50_000)
    const text = 'x'.repeat(1000)
    const batch = 1000
    for (let from = 0; from < count; from += batch) {
      const some = Array.from({ length: Math.min(batch, count - from) }, (_, n) => from + n)
      await stage.published(
        ...some.map(n => ({ id: `i${n % 500}`, n: Math.floor(n / 500) + 1, data: { id: `i${n % 500}`, n, text } })),
      )
    }
    // What is reachable, as a busy machine leaves more garbage. The test itself keeps a number for each event.
    const heap = () => {
      collect()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const before = heap()
    let most = 0
    let inFlight = 0
    let handled = 0
    const began = performance.now()
    const { engine } = await stage.replica(async event => {
      await sleep(1)
      await inbox.record(event, event.data.n)
      handled += 1
      if (handled % 500 === 0) inFlight = Math.max(inFlight, engine.status[0]?.inFlight ?? 0)
      if (handled % (count / 10) === 0) most = Math.max(most, heap())
    })
    await until('all are handled', () => inbox.effects.length === count)
    const seconds = (performance.now() - began) / 1000
    t.diagnostic(
      `${count} events in ${seconds.toFixed(1)} s; ${Math.round((most - before) / 1e6)} MB more; ${inFlight} in flight at most`,
    )
    assert.ok(inFlight <= 768, `${inFlight} events were in flight`)
    assert.ok(most - before < 50e6, `${Math.round((most - before) / 1e6)} MB more than before`)
    await stage.idle()
  })
}
