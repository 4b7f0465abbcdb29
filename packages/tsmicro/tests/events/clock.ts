import type { TestContext } from 'node:test'

/** A time that only the test moves. Of the timers, the last one counts. */
export function clock(t: TestContext) {
  let now = 0
  let fire = () => {}
  const pauses: number[] = []
  t.mock.method(performance, 'now', () => now)
  t.mock.method(globalThis, 'setTimeout', (then: () => void, ms: number) => {
    pauses.push(ms)
    fire = then
  })
  const turn = () => new Promise(resolve => setImmediate(resolve))
  return {
    /** Of all timers so far, in milliseconds. */
    pauses,
    turn,
    pass(ms: number) {
      now += ms
    },
    /** Lets the last timer end, if it has not. */
    async next() {
      await turn()
      const due = fire
      fire = () => {}
      now += pauses.at(-1) ?? 0
      due()
      await turn()
    },
  }
}
