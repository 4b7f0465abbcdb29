import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentContext, DEADLINE_EXCEEDED, implement, inBackground, on } from 'tsmicro'
import { contract, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { eventHeaders } from './network/event-headers.ts'
import type { OpenNetwork } from './network/network.ts'

const answering = { access: 'key', output: Type.String(), timeoutMs: 150 } as const
const back = contract('back', {
  slow: procedure({ nats: 'slow', access: 'internal', output: Type.String() }),
  hang: procedure({ nats: 'hang', access: 'internal' }),
})
const doors = contract('front', {
  http: procedure({ http: 'GET /leave', ...answering }),
  nats: procedure({ nats: 'leave', ...answering, access: 'internal' }),
  late: procedure({ http: 'GET /late', ...answering }),
  detached: procedure({ http: 'GET /detached', ...answering, timeoutMs: 400 }),
})
const happened = contract('happenings', {
  turned: event({ subject: 'world.turned', aggregate: 'id', data: Type.Object({ id: Type.String() }) }),
})

/** Work that goes on after an answer. */
export async function background(open: OpenNetwork) {
  const network = await open()
  await network.streams('happenings', [happened])
  const outcomes: unknown[] = []
  let release = Promise.withResolvers<void>()
  const other = await serve({
    name: 'back',
    network,
    handlers: [
      implement(back, {
        slow: async () => {
          await release.promise
          return 'slow'
        },
        hang: ({ signal }) => new Promise(resolve => signal.addEventListener('abort', () => resolve())),
      }),
    ],
  })
  const askSlow = () =>
    front.nats
      .client(back)
      .slow()
      .then(
        answer => outcomes.push([answer, currentContext()?.requestId, currentContext()?.deadline.signal.aborted]),
        error => outcomes.push(error),
      )
  /** Starts work and answers before it is done; meanwhile the call's time ends. */
  const leave = () => {
    setTimeout(askSlow, 1)
    return 'left'
  }
  const front: TestService = await serve({
    name: 'front',
    calls: [back],
    network,
    handlers: [
      implement(doors, {
        http: leave,
        late: async () => {
          await sleep(300)
          askSlow()
          return 'too late'
        },
        detached: async () => {
          const [own, bound] = await Promise.allSettled([
            front.nats.client(back).hang({}, { context: undefined, timeoutMs: 1500 }),
            front.nats.client(back).hang(),
          ])
          outcomes.push(own, bound)
          return 'detached'
        },
        nats: leave,
      }),
      on(happened.turned, { name: 'events', effect: 'idempotent' }, () => void setTimeout(askSlow, 1)),
    ],
    handlerTimeoutMs: 150,
  })
  after(() => Promise.all([front.service.stop(), other.service.stop()]))
  const begin = () => {
    outcomes.length = 0
    release = Promise.withResolvers<void>()
  }

  test('work after an answer is bounded by its own time alone, at either door and after an event', async () => {
    const raw = await network.raw()
    after(() => raw.close())
    const ways: (() => Promise<unknown>)[] = [
      () => front.service.inject({ method: 'GET', url: '/leave', headers: { 'x-request-id': 'a' } }),
      async () => {
        const client = network.client('caller')
        await client.connect()
        await client.client(doors).nats()
        await client.close()
      },
      async () => raw.publish('world.turned', '{"id":"a"}', { headers: eventHeaders('world.turned', 'a') }),
      // The client disconnects before it has read the answer.
      async () => {
        const controller = new AbortController()
        await fetch(`${front.service.url}/leave`, { signal: controller.signal })
        controller.abort()
      },
    ]
    for (const way of ways) {
      begin()
      await way()
      // Twice as long as the call may take.
      await sleep(300)
      release.resolve()
      await until('the work behind the answer is done', () => outcomes.length === 1)
      const [outcome] = outcomes
      assert.ok(Array.isArray(outcome), String(outcome))
      assert.deepEqual([outcome[0], typeof outcome[1], outcome[2]], ['slow', 'string', false])
    }
  })

  test('the request id stays; work of a call that was not answered in time may not go on', async () => {
    begin()
    release.resolve()
    await front.service.inject({ method: 'GET', url: '/leave', headers: { 'x-request-id': 'kept-id' } })
    await until('it is done', () => outcomes.length === 1)
    assert.equal((outcomes[0] as unknown[])[1], 'kept-id')
    begin()
    assert.equal((await front.service.inject({ method: 'GET', url: '/late' })).statusCode, 504)
    await until('it failed', () => outcomes.length === 1)
    assert.ok(outcomes[0] instanceof DEADLINE_EXCEEDED)
  })

  test('a call without a context has all of its own time', async () => {
    begin()
    const began = performance.now()
    const answer = await front.service.inject({ method: 'GET', url: '/detached' })
    assert.equal(answer.statusCode, 504)
    await until('both have ended', () => outcomes.length === 2)
    assert.ok(performance.now() - began >= 1500)
  })

  test('inBackground: a time of its own, the request id, a failure in the log; a stop waits for it', async () => {
    const jobs = contract('jobs', { begin: procedure({ http: 'GET /begin', access: 'key', timeoutMs: 100 }) })
    const seen: unknown[] = []
    const gate = Promise.withResolvers<void>()
    const made: TestService = await serve({
      name: 'jobs',
      calls: [back],
      network,
      handlers: [
        implement(jobs, {
          begin: () => {
            inBackground(async signal => {
              await gate.promise
              const { door, requestId } = currentContext() ?? {}
              seen.push([door, requestId, signal.aborted, await made.nats.client(back).slow()])
            })
            inBackground(() => Promise.reject(new Error('no such luck')), { name: 'a try' })
            inBackground(() => front.nats.client(back).hang({}, { timeoutMs: 60_000 }), {
              name: 'hanging',
              timeoutMs: 50,
            })
          },
        }),
      ],
    })
    release.resolve()
    await made.service.inject({ method: 'GET', url: '/begin', headers: { 'x-request-id': 'job-1' } })
    await until('both failures are told', () => made.log.at('error').length === 2)
    assert.deepEqual(
      made.log.at('error').map(({ message, fields }) => [message, fields.requestId, (fields.err as Error).message]),
      [
        ['a try failed', 'job-1', 'no such luck'],
        ['hanging failed', 'job-1', 'The answer did not come in time'],
      ],
    )
    const stopped = made.service.stop()
    await until('it drains', async () => (await made.service.health()).status === 'draining')
    gate.resolve()
    await stopped
    assert.deepEqual(seen, [['http', 'job-1', false, 'slow']])
  })

  test('inBackground without a call: failures go to the given log, and nothing is thrown', async () => {
    await inBackground(
      () => {
        assert.equal(currentContext()?.door, 'background')
        throw new Error('at once')
      },
      { log: front.log, name: 'loner' },
    )
    assert.ok(front.log.at('error').some(({ message }) => message === 'loner failed'))
  })

  test('work that does not end delays a stop no longer than the drain may take', async () => {
    const stuck = contract('stuck', { begin: procedure({ http: 'GET /begin', access: 'key' }) })
    const reasons: unknown[] = []
    const made = await serve({
      name: 'stuck',
      network,
      drainTimeoutMs: 50,
      handlers: [
        implement(stuck, {
          begin: () => {
            inBackground(
              signal => new Promise(() => signal.addEventListener('abort', () => reasons.push(signal.reason))),
              { timeoutMs: 600_000 },
            )
          },
        }),
      ],
    })
    await made.service.inject({ method: 'GET', url: '/begin' })
    await made.service.stop()
    assert.match(String(reasons[0]), /the service has stopped/)
  })

  test('a stop neither waits for what another service of the process does in the background, nor ends it', async () => {
    const busy = contract('busy', { begin: procedure({ http: 'GET /begin', access: 'key' }) })
    const release = Promise.withResolvers<void>()
    const seen: string[] = []
    const begin = () => {
      inBackground(async signal => {
        // Nested work belongs to the same service.
        inBackground(async () => {
          await release.promise
          seen.push('inner')
        })
        await release.promise
        seen.push(signal.aborted ? 'ended' : 'done')
      })
    }
    // If they were waited for, the test would run into its time limit.
    const patient = { network, drainTimeoutMs: 600_000 }
    const one = await serve({
      ...patient,
      name: 'busy',
      handlers: [implement(busy, { begin })],
    })
    const idle = await serve({ ...patient, name: 'idle' })
    await one.service.inject({ method: 'GET', url: '/begin' })
    await idle.service.stop()
    assert.deepEqual(seen, [])
    const stopped = one.service.stop()
    release.resolve()
    await stopped
    assert.deepEqual(seen.sort(), ['done', 'inner'])
  })
}
