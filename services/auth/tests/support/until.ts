import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a condition, for at most two minutes. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + 120_000
  while (!(await condition())) {
    if (Date.now() > endsAt) throw new Error(`still waiting: ${what}`)
    await sleep(25)
  }
}
