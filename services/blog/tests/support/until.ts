import { setTimeout as sleep } from 'node:timers/promises'

/** Checks repeatedly until the condition holds; otherwise reports what it saw last. */
export async function until<T>(look: () => T | Promise<T>, holds: (seen: T) => boolean, limitMs = 120_000): Promise<T> {
  const endsAt = Date.now() + limitMs
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (Date.now() > endsAt) throw new Error(`the condition never held: ${JSON.stringify(seen)}`)
    await sleep(20)
  }
}
