import { setTimeout as sleep } from 'node:timers/promises'

/** Only keeps a broken test from hanging: on a busy machine everything takes longer. */
const BOUND_MS = 120_000

/** Waits for a condition, for at most two minutes. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + BOUND_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`)
    await sleep(5)
  }
}

/** Waits until the NATS server has handled what was sent before: a busy machine's may take longer than `check` waits. */
export function roundTrip(nats: { check(): Promise<void> }): Promise<void> {
  return until('the NATS server answers', () =>
    nats.check().then(
      () => true,
      () => false,
    ),
  )
}
