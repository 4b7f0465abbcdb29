import { setTimeout as pause } from 'node:timers/promises'

/** Only ends a hang: on a busy machine everything takes longer. */
const LIMIT_MS = 240_000

/** Tells {@link until} that waiting is pointless. */
export class HopelessError extends Error {}

/**
 * Asks again until the answer is true; an error counts as "not yet", save a {@link HopelessError}. Fails after four minutes, saying
 * what was awaited.
 */
export async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const endsAt = performance.now() + LIMIT_MS
  let last: unknown
  while (performance.now() < endsAt) {
    try {
      if (await condition()) return
      last = undefined
    } catch (error) {
      if (error instanceof HopelessError) throw error
      last = error
    }
    await pause(50)
  }
  throw new Error(`waited in vain for ${what}`, { cause: last })
}
