import { setTimeout as sleep } from 'node:timers/promises'

/** Only keeps a broken test from hanging: on a busy machine everything takes its time. */
const BOUND_MS = 120_000

/** Waits for a condition, for at most two minutes. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + BOUND_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`)
    await sleep(5)
  }
}
