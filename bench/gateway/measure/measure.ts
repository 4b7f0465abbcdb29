import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../../common/child.ts'
import { medians } from '../../common/median.ts'
import type { Window } from '../../common/meter.ts'
import type { LoadName } from '../load/load.ts'
import type { Door } from '../subject.ts'
import type { Sample } from './result.ts'

/** A subject's process at work. */
export interface Opened {
  readonly process: Child
  readonly door: Door
}

export interface Turn {
  readonly load: LoadName
  readonly warmUpMs: number
  readonly settlingMs: number
  readonly measuredMs: number
  readonly signal: AbortSignal
}

/** A window with fewer requests says nothing: a machine busy with other work gets another. */
const FEWEST = 20
const PATIENCE = 20

/** One load on one proxy for a while; what happens after the warm-up counts. */
export async function measure(
  generator: Child,
  { process, door }: Opened,
  { load, warmUpMs, settlingMs, measuredMs, signal }: Turn,
): Promise<Sample> {
  await generator.ask('start', { door, load })
  const mark = () => Promise.all([generator.ask<Window>('mark'), process.ask<Window>('mark')])
  await sleep(load === 'slow' ? warmUpMs + settlingMs : warmUpMs, undefined, { signal })
  await mark()
  let windows: [asking: Window, working: Window]
  let patience = PATIENCE
  do {
    await sleep(measuredMs, undefined, { signal })
    windows = await mark()
    patience -= 1
  } while (windows[0].calls < FEWEST && patience > 0)
  await generator.ask('stop')
  if (windows[0].calls === 0) throw new Error(`${process.name} answered nothing for ${measuredMs} ms`)
  return sampleOf(...windows)
}

/** The two windows differ by a message's way, so CPU is taken as a share of the proxy's own. */
export function sampleOf(asking: Window, working: Window): Sample {
  const perMs = asking.calls / asking.elapsedMs
  return {
    perSecond: perMs * 1000,
    p50Ms: asking.p50Ms,
    p99Ms: asking.p99Ms,
    cpuMicrosPerRequest: working.cpuMicros / working.elapsedMs / perMs,
    memoryMb: working.memoryMb,
  }
}

export function medianSample(samples: readonly Sample[]): Sample {
  return medians(samples, ['perSecond', 'p50Ms', 'p99Ms', 'cpuMicrosPerRequest', 'memoryMb'])
}
