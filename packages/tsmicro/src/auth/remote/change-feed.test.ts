import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { ChangeFeed } from './change-feed.ts'
import type { AccessChange, AccessChanges, Position } from './protocol.ts'

/** An auth service in memory, whose answers a test may hold back. */
class Auth {
  marks = [randomUUID() as string]
  changes: AccessChange[] = []
  readonly open: PromiseWithResolvers<void>[] = []
  holding = false
  down = false
  asked = 0

  change(id: string): void {
    this.changes.push({ number: this.changes.length + 1, kind: 'session', id })
    this.marks.push(randomUUID())
  }

  /** A backup is restored, and other changes follow. */
  restore(number: number): void {
    this.changes = this.changes.slice(0, number)
    this.marks = [...this.marks.slice(0, number), randomUUID()]
  }

  ask = async (since: Position | undefined): Promise<AccessChanges> => {
    this.asked += 1
    if (this.down) throw new Error('down')
    const number = this.changes.length
    const position = { number, mark: this.marks[number] ?? '' }
    const known = since !== undefined && this.marks[since.number] === since.mark
    const answer = { position, changes: known ? this.changes.slice(since.number) : [], startOver: !known }
    if (this.holding) {
      const held = Promise.withResolvers<void>()
      this.open.push(held)
      await held.promise
    }
    return answer
  }
}

function setUp(auth = new Auth()) {
  const time = { steady: 0, wall: 0 }
  const heard: string[] = []
  const kept = {
    newest: 0,
    apply: ({ id }: { readonly id: string }) => void heard.push(id),
    forget: () => void heard.push('everything'),
  }
  const feed = new ChangeFeed({
    ask: since => auth.ask(since),
    kept,
    leaseMs: 800,
    clock: () => [time.steady, time.wall],
  })
  const pass = (ms: number) => {
    time.steady += ms
    time.wall += ms
  }
  return { auth, feed, kept, time, pass, heard }
}

test('what is kept holds for the lease from when the question was asked, not from when it was answered', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { auth, feed, pass } = setUp()
  assert.equal(feed.holds, false)
  auth.holding = true
  const asking = feed.ask()
  pass(500)
  for (const each of auth.open) each.resolve()
  await asking
  assert.equal(feed.holds, true)
  pass(299)
  assert.equal(feed.holds, true)
  pass(1)
  assert.equal(feed.holds, false)
})

test('an answer that comes after the lease of its question gives none: auth was frozen', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { auth, feed, pass } = setUp()
  auth.holding = true
  const asking = feed.ask()
  auth.change('lost')
  pass(800)
  for (const each of auth.open) each.resolve()
  await asking
  assert.equal(feed.holds, false)
})

test('either clock ends it: the steady one of a process that was frozen, the other one of a machine that slept', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  for (const clock of ['steady', 'wall'] as const) {
    const { feed, time } = setUp()
    await feed.ask()
    assert.equal(feed.holds, true)
    time[clock] += 5000
    assert.equal(feed.holds, false)
    await feed.ask()
    assert.equal(feed.holds, true)
    time[clock] -= 5000
    time.steady = Math.max(time.steady, 5000)
  }
})

test('failures leave the lease as it is; with several questions open, one that is never answered does not end it', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { auth, feed, pass } = setUp()
  await feed.ask()
  assert.equal(feed.holds, true)
  auth.holding = true
  void feed.ask()
  auth.holding = false
  pass(700)
  await feed.ask()
  pass(700)
  assert.equal(feed.holds, true)
  auth.down = true
  await feed.ask()
  assert.equal(feed.holds, true)
  pass(100)
  assert.equal(feed.holds, false)
})

test('an answer to an older question that comes late changes nothing', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { auth, feed, pass, heard } = setUp()
  await feed.ask()
  auth.holding = true
  const late = feed.ask()
  auth.holding = false
  auth.change('one')
  pass(100)
  await feed.ask()
  assert.deepEqual(heard, ['everything', 'one'])
  for (const each of auth.open) each.resolve()
  await late
  assert.equal(feed.number, 1)
  auth.change('two')
  await feed.ask()
  assert.deepEqual(heard, ['everything', 'one', 'two'])
})

test('what the one instance committed before it died, the other one tells', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { auth: database, feed, heard, pass } = setUp()
  await feed.ask()
  database.holding = true
  const never = feed.ask()
  database.change('committed')
  database.holding = false
  pass(100)
  await feed.ask()
  assert.deepEqual(heard, ['everything', 'committed'])
  assert.equal(feed.holds, true)
  database.open[0]?.reject(new Error('the connection was lost'))
  await never
})

test('after a restore everything is forgotten, also if the numbers have gone on beyond the known one since', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  for (const more of [0, 1, 2, 5]) {
    const { auth, feed, heard } = setUp()
    auth.change('one')
    auth.change('two')
    auth.change('three')
    await feed.ask()
    assert.deepEqual(heard, ['everything'])
    auth.restore(1)
    for (let count = 0; count < more; count++) auth.change('after')
    await feed.ask()
    assert.deepEqual(heard, ['everything', 'everything'])
    assert.equal(feed.number, 1 + more)
    auth.change('last')
    await feed.ask()
    assert.deepEqual(heard, ['everything', 'everything', 'last'])
  }
})

test('after a failover that lost the latest changes everything is forgotten, though its position is still known', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { auth, feed, kept, heard } = setUp()
  auth.change('one')
  await feed.ask()
  // A call has said more than the feed has heard of.
  kept.newest = 3
  await feed.ask()
  assert.deepEqual(heard, ['everything', 'everything'])
  kept.newest = 1
  await feed.ask()
  assert.deepEqual(heard, ['everything', 'everything'])
})

test('it asks several times a second while somebody uses what is kept, and then pauses', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { auth, feed } = setUp()
  feed.push()
  t.mock.timers.tick(10_000)
  assert.equal(auth.asked, 0, 'nobody uses it yet')
  assert.equal(feed.holds, false)
  t.mock.timers.tick(9000)
  assert.equal(auth.asked, 61)
  t.mock.timers.tick(600_000)
  const { asked } = auth
  t.mock.timers.tick(600_000)
  assert.equal(auth.asked, asked)
  void feed.holds
  t.mock.timers.tick(150)
  assert.equal(auth.asked, asked + 2)
})

test('a push asks at once; of many, the last one is not lost', async t => {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { auth, feed } = setUp()
  assert.equal(feed.holds, false)
  assert.equal(auth.asked, 1)
  feed.push()
  assert.equal(auth.asked, 2)
  for (let count = 0; count < 100; count++) feed.push()
  assert.equal(auth.asked, 2)
  t.mock.timers.tick(20)
  assert.equal(auth.asked, 3)
  t.mock.timers.tick(100)
  assert.equal(auth.asked, 3)
})
