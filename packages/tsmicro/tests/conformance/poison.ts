import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentContext, SERVICE_UNAVAILABLE } from 'tsmicro'
import { commandsOf } from '../../src/events/operations/commands.ts'
import { openStage } from '../events/stage.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

/** How handlers end when their signal aborts. */
export const HONOURING = {
  reason: signal => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  'an error with the reason as cause': signal => sleep(60_000, undefined, { signal, ref: false }),
  'an error of a dependency that was told to end': signal =>
    sleep(60_000, undefined, { signal, ref: false }).catch(cause => {
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    }),
} satisfies Record<string, (signal: AbortSignal) => Promise<unknown>>

/** Two replicas whose handler fails for event 3 of `bad` until it is repaired. */
async function openPoisoned(open: OpenNetwork) {
  const stage = await openStage(await open())
  const { inbox } = stage
  const poison = { on: true, tries: 0 }
  const handle = async (event: { data: { id: string; n: number } }) => {
    const { id, n } = event.data
    if (poison.on && id === 'bad' && n === 3) {
      poison.tries += 1
      throw new Error(`cannot be handled: ä "${n}"`)
    }
    await inbox.record(event, n)
  }
  const [one, other] = [await stage.replica(handle), await stage.replica(handle)]
  const letters = async () => (await one.engine.repairs.dead({})).map(({ number }) => number)
  return { stage, inbox, poison, one, other, letters }
}

/** Events that cannot be handled. */
export async function poison(open: OpenNetwork) {
  test('tried as often as declared, kept with its error; its aggregate waits in order, all others go on', async () => {
    const { stage, inbox, poison, one, other, letters } = await openPoisoned(open)
    const numbers = [1, 2, 3, 4, 5, 6]
    await stage.published(
      ...numbers.flatMap(n => [
        { id: 'bad', n },
        { id: 'good', n },
      ]),
    )
    await until('those behind it are kept as well', async () => (await letters()).length === 4)
    await until('the others go on', () => inbox.of('good').length === 6)
    await stage.idle()
    assert.equal(poison.tries, 3)
    assert.deepEqual(inbox.of('bad'), [1, 2])
    assert.deepEqual(await letters(), [3, 4, 5, 6])
    const [first] = await one.engine.repairs.dead({ aggregateId: 'bad' })
    assert.deepEqual(
      [first?.consumer, first?.type, first?.subject, first?.id, first?.error, first?.tries, first?.skipped],
      ['stock.items', 'item', 'item.created', 'bad-3', 'cannot be handled: ä "3"', 3, false],
    )
    const logged = [one, other].flatMap(({ log }) => log.at('error')).map(({ fields }) => fields)
    assert.deepEqual(
      logged.map(({ tries, handler, eventId }) => [tries, handler, eventId]),
      [1, 2, 3].map(tries => [tries, 'items', 'bad-3']),
    )

    poison.on = false
    assert.deepEqual(await other.engine.repairs.retry({}), [
      { consumer: 'stock.items', type: 'item', aggregateId: 'bad', error: undefined },
    ])
    assert.deepEqual(inbox.of('bad'), numbers)
    assert.deepEqual(await letters(), [])
    assert.deepEqual(await one.engine.repairs.retry({}), [])
    await stage.published({ id: 'bad', n: 7 }, { id: 'bad', n: 8 })
    await until('the aggregate goes on', () => inbox.of('bad').length === 8)
    assert.deepEqual(inbox.of('bad'), [...numbers, 7, 8])
  })

  test('a retry that fails changes nothing; events that come meanwhile are handled behind it, once', async () => {
    const { stage, inbox, poison, one, letters } = await openPoisoned(open)
    await stage.published(...[1, 2, 3, 4].map(n => ({ id: 'bad', n })))
    await until('it is parked', async () => (await letters()).length === 2)
    const [failed] = await one.engine.repairs.retry({ aggregateId: 'bad' })
    assert.match(failed?.error ?? '', /cannot be handled/)
    assert.deepEqual(await letters(), [3, 4])
    poison.on = false
    const later = Array.from({ length: 60 }, (_, index) => index + 5)
    const publishing = (async () => {
      for (const n of later) await stage.published({ id: 'bad', n })
    })()
    await one.engine.repairs.retry({})
    await publishing
    await until('all are handled', () => inbox.of('bad').length === 64)
    await stage.idle()
    assert.deepEqual(inbox.of('bad'), [1, 2, 3, 4, ...later])
    assert.deepEqual(await letters(), [])
  })

  test('a skipped event stays in the stream, and those behind it are handled; newer state wins over it', async () => {
    const { stage, inbox, poison, one, letters } = await openPoisoned(open)
    await stage.published(...[1, 2, 3, 4, 5].map(n => ({ id: 'bad', n })))
    await until('it is parked', async () => (await letters()).length === 3)
    const [skipped] = await one.engine.repairs.skip({ aggregateId: 'bad' })
    assert.equal(skipped?.error, undefined)
    assert.deepEqual(inbox.of('bad'), [1, 2, 4, 5])
    const [left, ...others] = await one.engine.repairs.dead({})
    assert.deepEqual([left?.number, left?.skipped, others.length], [3, true, 0])
    poison.on = false
    const [refused] = await one.engine.repairs.retry({ aggregateId: 'bad' })
    assert.match(refused?.error ?? '', /newer state wins/)
    assert.deepEqual(inbox.of('bad'), [1, 2, 4, 5])
    inbox.rows.clear()
    const [early] = await one.engine.repairs.retry({ aggregateId: 'bad' })
    assert.match(early?.error ?? '', /event 3 was skipped, and those before it are not handled yet/)
    assert.deepEqual(inbox.of('bad'), [1, 2, 4, 5])
  })

  test('a command about an aggregate without letters has nothing more to do, however late it is', async () => {
    const { stage, one, poison, letters } = await openPoisoned(open)
    const access = { service: 'stock', serves: [], handles: { items: [] } }
    const commands = commandsOf(stage.nats, {
      ...{ access, engine: one.engine, outboxes: async () => [], announces: {} },
    })
    const ask = (command: string, aggregateId: string, goOn: boolean) =>
      commands.get(command)?.run({ name: 'items', type: 'item', aggregateId } as never, () => goOn)
    for (const command of ['retry', 'skip'])
      for (const goOn of [true, false]) assert.deepEqual(await ask(command, 'none', goOn), { more: false })
    await stage.published(...[1, 2, 3, 4].map(n => ({ id: 'bad', n })))
    await until('it is parked', async () => (await letters()).length === 2)
    poison.on = false
    const what = { consumer: 'stock.items', type: 'item', aggregateId: 'bad', error: undefined }
    assert.deepEqual(await ask('retry', 'bad', false), { ...what, more: true })
    assert.deepEqual(await letters(), [4])
    assert.deepEqual(await ask('retry', 'bad', true), { ...what, more: false })
  })

  for (const [how, wait] of Object.entries(HONOURING))
    test(`a handler that ends when its time is over was tried, and holds up its own aggregate alone: ${how}`, async () => {
      const stage = await openStage(await open())
      const { inbox } = stage
      let begun = 0
      const { engine } = await stage.replica(
        async event => {
          const { id, n } = event.data
          if (id === 'bad' && n === 1) {
            begun += 1
            await wait(currentContext()?.deadline.signal ?? assert.fail())
          }
          await inbox.record(event, n)
        },
        { pace: { timeoutMs: 50, concurrency: 2 } },
      )
      await stage.published({ id: 'bad', n: 1 }, { id: 'bad', n: 2 })
      await stage.published(...[1, 2, 3, 4].flatMap(n => ['a', 'b', 'c'].map(id => ({ id, n }))))
      await until('the others go on', () => inbox.effects.length === 12)
      await until('both are kept', async () => (await engine.repairs.dead({})).length === 2)
      const letters = await engine.repairs.dead({})
      assert.deepEqual(
        letters.map(({ number, tries }) => [number, tries]),
        [
          [1, 3],
          [2, 0],
        ],
      )
      assert.match(letters[0]?.error ?? '', /the handler took longer than 50 ms/)
      // More if the process had no processor meanwhile.
      assert.ok(begun >= 3)
      await stage.idle()
    })

  test('a handler that succeeds without having recorded its event is told what to call', async () => {
    const stage = await openStage(await open())
    const { engine } = await stage.replica(() => {})
    await stage.published({ id: 'a', n: 1 })
    await until('it is kept', async () => (await engine.repairs.dead({})).length === 1)
    const [letter] = await engine.repairs.dead({})
    assert.match(letter?.error ?? '', /succeeded without having recorded the event/)
  })

  test('a replay since a time also gets again what is older and not handled yet', async () => {
    const stage = await openStage(await open())
    const { inbox } = stage
    const down = new SERVICE_UNAVAILABLE()
    const one = await stage.replica(async () => Promise.reject(down))
    await stage.published({ id: 'a', n: 1 }, { id: 'b', n: 1 })
    await until('they are taken', () => one.engine.status[0]?.inFlight === 2)
    await one.engine.repairs.replay({}, new Date(Date.now() + 60_000))
    await one.stop()
    await stage.replica(event => inbox.record(event, event.data.n))
    await until('they are handled', () => inbox.effects.length === 2)
    await stage.idle()
  })

  test('a rebuild handles everything again; a replay nothing that is recorded', async () => {
    const { stage, inbox, poison, one } = await openPoisoned(open)
    poison.on = false
    const since = new Date(Date.now() - 60_000)
    await stage.published(...[1, 2, 3, 4].map(n => ({ id: 'bad', n })))
    await until('they are handled', () => inbox.of('bad').length === 4)
    await stage.idle()
    await one.engine.repairs.replay({}, since)
    await stage.published({ id: 'bad', n: 5 })
    await until('the next one is handled', () => inbox.of('bad').length === 5)
    await stage.idle()
    assert.deepEqual(inbox.of('bad'), [1, 2, 3, 4, 5])
    await one.engine.repairs.rebuild({ name: 'items' })
    await until('all are handled again', () => inbox.of('bad').length === 10)
    assert.deepEqual(inbox.of('bad').slice(5), [1, 2, 3, 4, 5])
  })
}
