import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../../common/child.ts'
import type { Window } from '../../common/meter.ts'
import type { Pair } from './pair.ts'
import { type Sample, sampleOf } from './sample.ts'

/** Enough that a request seldom waits for one, few enough that a server that falls behind is not buried. */
const CONNECTIONS = 128
const CALIBRATING_CONNECTIONS = 64

/** Independent HTTP requests at a rate; without one, as many as 64 connections can get. CPU includes the HTTP server's. */
export async function measureHttp(
  pair: Pair,
  generator: Child,
  perSecond: number | undefined,
  warmUpMs: number,
  measuredMs: number,
  signal: AbortSignal,
): Promise<Sample> {
  const connections = perSecond === undefined ? CALIBRATING_CONNECTIONS : CONNECTIONS
  await generator.ask('start', { port: pair.httpPort, connections, perSecond })
  const mark = () => Promise.all([generator.ask<Window>('mark'), pair.mark()])
  await sleep(warmUpMs, undefined, { signal })
  await mark()
  await sleep(measuredMs, undefined, { signal })
  const [asking, working] = await mark()
  await generator.ask('stop')
  return sampleOf(asking, working)
}
