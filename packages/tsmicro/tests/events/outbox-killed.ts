import assert from 'node:assert/strict'
import type { Server } from '@tsmicro/infra'
import { until } from '../support/until.ts'
import { type OutboxSetting, storedEvent, TestStream } from './outbox-suite.ts'

/**
 * Commits and relays events of an aggregate while their database is killed: each time that so many are committed. What was committed has to
 * be sent, what was not must not be.
 * @returns how many events were sent
 */
export async function sentDespiteKills(
  server: Server,
  outbox: OutboxSetting,
  aggregateId: string,
  kills: readonly number[],
): Promise<number> {
  const committed: number[] = []
  const unknown: number[] = []
  let stop = false
  const changing = (async () => {
    for (let n = 1; !stop; n++) {
      await outbox.commit([storedEvent(aggregateId, { data: String(n) })]).then(
        () => committed.push(n),
        () => unknown.push(n),
      )
    }
  })()
  const stream = new TestStream()
  const relaying = (async () => {
    while (!stop) await outbox.store.relay(stream.send, 100).catch(() => {})
  })()
  for (const enough of kills) {
    await until(`${enough} are committed`, () => committed.length >= enough)
    const before = unknown.length
    server.kill('SIGKILL')
    await until('it was noticed', () => unknown.length > before)
    await server.restart()
  }
  await until('more are committed', () => committed.length >= 60)
  stop = true
  await Promise.all([changing, relaying])
  await stream.drain(outbox)
  // A relay that was killed before it had marked what it sent has sent it again, with the same number.
  const sent = new Map(stream.accepted.map(({ sequence, data }) => [sequence, Number(data)]))
  assert.deepEqual(
    [...sent.keys()],
    Array.from(sent.keys(), (_, index) => index + 1),
  )
  const values = new Set(sent.values())
  for (const n of committed) assert.ok(values.has(n), `${n} was committed and not sent`)
  assert.ok([...values].every(n => committed.includes(n) || unknown.includes(n)))
  assert.equal(values.size, sent.size)
  return sent.size
}
