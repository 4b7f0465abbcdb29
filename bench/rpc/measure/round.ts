import type { Child } from '../../common/child.ts'
import type { SubjectName } from '../subjects.ts'
import { measureClosed } from './closed.ts'
import { measureHttp } from './http.ts'
import { Pair } from './pair.ts'
import type { Plan } from './plan.ts'
import type { Sample } from './sample.ts'

export interface RoundOptions {
  readonly plan: Plan
  readonly natsUrl: string
  readonly generator: Child
  readonly httpPerSecond: number
  readonly signal: AbortSignal
  /** Told of every measurement as it is made. */
  readonly onSample: (load: string, subject: SubjectName | 'baseline', sample: Sample) => void
}

/**
 * Everything once, with fresh processes: each load for one subject after the other, so that whatever else the machine does
 * meets all of them alike.
 */
export async function round(options: RoundOptions): Promise<void> {
  const { plan, natsUrl, generator, httpPerSecond, signal, onSample } = options
  await using pairs = new AsyncDisposableStack()
  const started: Pair[] = []
  for (const subject of [...plan.subjects, 'baseline' as const])
    started.push(pairs.use(await Pair.start(subject, natsUrl)))
  const callers = started.filter(({ subject }) => subject !== 'baseline')
  for (const pair of callers) await measureClosed(pair, 64, plan.bringUpMs, 0, signal)
  for (const inFlight of plan.inFlight) {
    for (const pair of callers) {
      const sample = await measureClosed(pair, inFlight, plan.warmUpMs, plan.closedMs, signal)
      onSample(closedName(inFlight), pair.subject, sample)
    }
  }
  for (const pair of started) {
    const sample = await measureHttp(pair, generator, httpPerSecond, plan.warmUpMs, plan.httpMs, signal)
    onSample('http', pair.subject, sample)
  }
  for (const pair of callers) await pair.reconcile()
}

export const closedName = (inFlight: number) => `${inFlight} in flight`
