import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStage, type Sent } from '../events/stage.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const sent: Sent[] = Array.from({ length: 400 }, (_, n) => ({ id: `i${n % 20}`, n: Math.floor(n / 20) + 1 }))

/** Consumers whose handlers record nothing. */
export async function idempotent(open: OpenNetwork) {
  test('without a store: one instance at a time, in order; another one takes over when it stops', async () => {
    const stage = await openStage(await open())
    const handled: [string, string, number][] = []
    const replica = (by: string) =>
      stage.replica(
        async ({ data: { id, n } }) => {
          await sleep(1)
          handled.push([by, id, n])
        },
        { inbox: undefined },
      )
    const replicas = { one: await replica('one'), other: await replica('other') }
    await stage.published(...sent.slice(0, 200))
    await until('all are handled', () => handled.length >= 200)
    const [pinned, ...more] = new Set(handled.map(([by]) => by))
    assert.deepEqual(more, [])
    await replicas[pinned as 'one'].stop()
    await stage.published(...sent.slice(200))
    await until('the other one goes on', () => handled.length >= 400)
    await stage.idle()
    for (let id = 0; id < 20; id++)
      assert.deepEqual(
        handled.filter(each => each[1] === `i${id}`).map(each => each[2]),
        Array.from({ length: 20 }, (_, n) => n + 1),
      )
  })

  test('without a store: another one takes over only when what runs has ended', async () => {
    const stage = await openStage(await open())
    const running = Promise.withResolvers<void>()
    const seen: string[] = []
    const handle = async ({ data: { n } }: { readonly data: { readonly n: number } }) => {
      seen.push(`${n} begins`)
      if (n === 1) await running.promise
      seen.push(`${n} ends`)
    }
    const first = await stage.replica(handle, { inbox: undefined })
    await stage.published({ id: 'a', n: 1 })
    await until('it runs', () => seen.length === 1)
    await stage.replica(handle, { inbox: undefined })
    const stopped = first.stop()
    await stage.published({ id: 'a', n: 2 })
    await sleep(300)
    running.resolve()
    await stopped
    await until('the other one goes on', () => seen.length === 4)
    assert.deepEqual(seen, ['1 begins', '1 ends', '2 begins', '2 ends'])
  })

  test('without a store: poison parks its aggregate, for the next instance as well, until it is retried', async () => {
    const stage = await openStage(await open())
    const handled: number[] = []
    let poison = true
    const replica = () =>
      stage.replica(
        ({ data: { id, n } }) => {
          if (poison && id === 'bad' && n === 2) throw new Error('poison')
          if (id === 'bad') handled.push(n)
        },
        { inbox: undefined },
      )
    const first = await replica()
    const numbers = [1, 2, 3, 4]
    await stage.published(...numbers.map(n => ({ id: 'bad', n })))
    await until('it is parked', async () => (await first.engine.repairs.dead({})).length === 3)
    await first.stop()
    const second = await replica()
    await stage.published({ id: 'bad', n: 5 })
    await until('the next one waits behind', async () => (await second.engine.repairs.dead({})).length === 4)
    assert.deepEqual(handled, [1])
    poison = false
    await second.engine.repairs.retry({})
    assert.deepEqual(handled, [1, 2, 3, 4, 5])
    await stage.published({ id: 'bad', n: 6 })
    await until('it goes on', () => handled.length === 6)
    assert.deepEqual(handled, [1, 2, 3, 4, 5, 6])
  })

  test('without a store: a rebuild while a handler runs ends with the newest event, whenever that handler ends', async () => {
    const stage = await openStage(await open())
    const running = Promise.withResolvers<void>()
    const handled: string[] = []
    let hangs = true
    const { engine } = await stage.replica(
      async ({ data: { id, n } }) => {
        if (id === 'a' && n === 3 && hangs) {
          hangs = false
          await running.promise
        }
        handled.push(`${id}${n}`)
      },
      { inbox: undefined },
    )
    await stage.published(...[1, 2, 3, 4].map(n => ({ id: 'a', n })), { id: 'b', n: 1 })
    await until('one runs, and all before it are handled', () => handled.length === 3)
    await engine.repairs.rebuild({ name: 'items' })
    await until('everything comes again', () => handled.filter(each => each === 'b1').length === 2)
    running.resolve()
    await stage.idle()
    assert.deepEqual(handled.filter(each => each !== 'b1').slice(-4), ['a1', 'a2', 'a3', 'a4'])
  })
}
