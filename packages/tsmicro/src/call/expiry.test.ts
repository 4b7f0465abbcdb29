import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Deadline } from './deadline.ts'
import { Expiring, expireIn, expiringCount, forget } from './expiry.ts'

class Probe extends Expiring {
  /** The earliest and the latest time at which it is due: a busy machine may pause between two readings of the clock. */
  readonly due: number
  readonly dueAtLatest: number
  readonly onExpire: (probe: Probe) => void
  expired = 0

  constructor(ms: number, onExpire: (probe: Probe) => void = () => {}) {
    super()
    this.due = performance.now() + ms
    this.onExpire = onExpire
    expireIn(ms, this)
    this.dueAtLatest = performance.now() + ms
  }

  expire(): void {
    this.expired += 1
    this.onExpire(this)
  }
}

async function untilNone(): Promise<void> {
  for (let attempt = 0; attempt < 2000 && expiringCount() > 0; attempt++) await sleep(5)
  assert.equal(expiringCount(), 0)
}

test('each expires once, never early, in order of time', async () => {
  const order: Probe[] = []
  const early: number[] = []
  const probes = Array.from({ length: 500 }, (_, index) => {
    const ms = (index * 37) % 200
    return new Probe(ms, probe => {
      if (performance.now() < probe.due) early.push(probe.due - performance.now())
      order.push(probe)
    })
  })
  await untilNone()
  assert.deepEqual(early, [])
  assert.ok(probes.every(({ expired }) => expired === 1))
  // A tick is 8 ms; within one, order is undefined.
  assert.ok(order.every(({ dueAtLatest }, index) => dueAtLatest > (order[index - 1]?.due ?? 0) - 8))
})

test('a cancelled expiry never fires, and a later, shorter one does not wait for an earlier one', async () => {
  const kept = new Probe(60_000)
  const forgotten = Array.from({ length: 100 }, () => new Probe(10))
  const gone = Promise.withResolvers<void>()
  new Probe(5, () => gone.resolve())
  for (const each of forgotten) forget(each)
  for (const each of forgotten) forget(each)
  await gone.promise
  assert.equal(expiringCount(), 1)
  forget(kept)
  assert.equal(expiringCount(), 0)
  await sleep(30)
  assert.ok(forgotten.every(({ expired }) => expired === 0))
})

test('an expiry may cancel its neighbours and start new ones', async () => {
  const neighbours: Probe[] = []
  const again = Promise.withResolvers<void>()
  for (let index = 0; index < 10; index++) {
    neighbours.push(
      new Probe(10, self => {
        for (const each of neighbours) if (each !== self) forget(each)
        new Probe(1, () => again.resolve())
      }),
    )
  }
  await again.promise
  await untilNone()
  assert.equal(neighbours.filter(({ expired }) => expired === 1).length, 1)
})

test('the timer does not keep the process alive when nothing is left to expire', async () => {
  forget(new Probe(60_000))
  assert.ok(!process.getActiveResourcesInfo().includes('Timeout'))
})

test('NaN is refused as a time: it would never expire, and would keep others from expiring', async () => {
  assert.throws(() => new Deadline(Number.NaN), /^RangeError: the time of a call must be a number of milliseconds$/)
  using unending = new Deadline(Number.POSITIVE_INFINITY)
  assert.ok(unending.remainingMs() > 1e9)
})
