import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a condition; the bound only keeps a broken test from hanging. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, boundMs = 5_000): Promise<void> {
  const end = performance.now() + boundMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`)
    await sleep(5)
  }
}
