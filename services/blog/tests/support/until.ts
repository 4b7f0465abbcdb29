import { setTimeout as sleep } from 'node:timers/promises'

/** Looks again and again until it holds; says what it saw last when it never does. */
export async function until<T>(look: () => T | Promise<T>, holds: (seen: T) => boolean, limitMs = 120_000): Promise<T> {
  const endsAt = Date.now() + limitMs
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (Date.now() > endsAt) throw new Error(`it never came: ${JSON.stringify(seen)}`)
    await sleep(20)
  }
}
