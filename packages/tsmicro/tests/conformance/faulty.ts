import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createNatsBroadcast, createService, implement, inBackground, type Log, on } from 'tsmicro'
import { contract, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import { eventHeaders } from './network/event-headers.ts'
import type { OpenNetwork } from './network/network.ts'

const bad = contract('bad', {
  fail: procedure({ nats: 'fail', access: 'internal' }),
  late: procedure({ nats: 'late', access: 'internal', timeoutMs: 20 }),
  fine: procedure({ nats: 'fine', access: 'internal', output: Type.String() }),
  turned: event({ subject: 'things.turned', aggregate: 'id', data: Type.Object({ id: Type.String() }) }),
})

/** A service's own code that throws where nobody awaits it neither ends the process nor blocks others. */
export async function faulty(open: OpenNetwork) {
  const network = await open()
  const uncaught: unknown[] = []
  const note = (reason: unknown) => void uncaught.push(reason)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  after(() => {
    process.off('unhandledRejection', note)
    process.off('uncaughtException', note)
  })
  const broken = () => {
    throw new Error('the disk of the log is full')
  }
  const log: Log = { debug: broken, info: () => {}, warn: broken, error: broken, child: () => log }
  const taken: string[] = []
  let ended = 0

  const handlers = [
    implement(bad, {
      fail: () => Promise.reject(new Error('unexpected')),
      late: ({ context }) => {
        if (ended === 0) context.deadline.onEnd(broken)
        context.deadline.onEnd(() => {
          ended += 1
        })
        return new Promise(() => {})
      },
      fine: () => {
        inBackground(() => Promise.reject(new Error('in the background')))
        return 'fine'
      },
    }),
    on(bad.turned, { name: 'events', effect: 'idempotent' }, ({ data }) => {
      taken.push(data.id)
      if (data.id === 'bad') throw new Error('unexpected')
    }),
  ]
  const nats = network.client('bad', { log })
  const service = createService({
    name: 'bad',
    version: '1.0.0',
    log,
    limits: { maxConcurrent: 20, maxQueued: 0 },
    module: { nats, handlers },
  })
  await service.start()
  after(() => service.stop())

  test('logs and listeners of deadlines and messages may throw', async () => {
    const caller = await connected(network)
    const raw = await network.raw()
    after(() => raw.close())
    const turn = (body: string, id: string) =>
      raw.publish('things.turned', body, { headers: eventHeaders('things.turned', id) })
    const bus = createNatsBroadcast(caller, 'bad.group')
    const heard: string[] = []
    bus.listen('one', {
      heard: text => {
        heard.push(text)
        throw new Error('unexpected')
      },
      lost: broken,
    })
    for (let round = 0; round < 3; round++) {
      const calls = Array.from({ length: 24 }, () => caller.client(bad).late({}, { timeoutMs: 300 }))
      await Promise.allSettled([...calls, caller.client(bad).fail({}, { timeoutMs: 300 })])
      turn('{', `broken${round}`)
      turn('{"id":"bad"}', `bad${round}`)
      raw.publish('bad.fine', '{', { reply: 'no.inbox' })
      bus.send(`to all ${round}`)
      assert.equal(await caller.client(bad).fine(), 'fine')
    }
    turn('{"id":"good"}', 'good')
    await until('the event behind the bad ones is taken', () => taken.includes('good'))
    await until('what is said to all is heard', () => heard.length === 3)
    await until('the other listeners heard of the end', () => ended > 0)
    await network.fail()
    await until('both have noticed', () => !caller.connected && !nats.connected)
    await network.recover()
    await until('both are back', () => caller.connected && nats.connected)
    await until('it answers again', () =>
      caller
        .client(bad)
        .fine({}, { timeoutMs: 300 })
        .then(
          answer => answer === 'fine',
          () => false,
        ),
    )
    assert.deepEqual(uncaught, [])
  })
}
