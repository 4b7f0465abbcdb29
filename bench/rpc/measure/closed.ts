import { setTimeout as sleep } from 'node:timers/promises'
import type { Pair } from './pair.ts'
import { type Sample, sampleOf } from './sample.ts'

/** So many callers at once for a while; what happens after the warm-up counts. */
export async function measureClosed(
  pair: Pair,
  inFlight: number,
  warmUpMs: number,
  measuredMs: number,
  signal: AbortSignal,
): Promise<Sample> {
  await pair.client.ask('start', inFlight)
  await sleep(warmUpMs, undefined, { signal })
  await pair.mark()
  await sleep(measuredMs, undefined, { signal })
  const windows = await pair.mark()
  await pair.client.ask('stop')
  return sampleOf(windows[0], windows)
}
