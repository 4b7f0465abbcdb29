import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a condition. @throws Error with `what` after `timeoutMs` */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`still waiting: ${what}`)
    await sleep(25)
  }
}
