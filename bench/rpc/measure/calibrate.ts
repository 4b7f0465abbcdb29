import type { Child } from '../../common/child.ts'
import { measureHttp } from './http.ts'
import { Pair } from './pair.ts'
import type { Plan } from './plan.ts'

/** Of what `bare` can do at most: busy, but not so that queues alone decide about times. */
const SHARE = 0.6
/** The best of them counts, so that a moment of other work on the machine does not lower the rate. */
const ATTEMPTS = 3

/** The rate of HTTP requests that all get: a share of what `bare` manages on this machine, now. */
export async function calibrate(plan: Plan, natsUrl: string, generator: Child, signal: AbortSignal): Promise<number> {
  await using bare = await Pair.start('bare', natsUrl)
  const found: number[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { perSecond } = await measureHttp(bare, generator, undefined, plan.bringUpMs, plan.httpMs / 2, signal)
    found.push(perSecond)
  }
  return Math.max(100, Math.round((Math.max(...found) * SHARE) / 100) * 100)
}
