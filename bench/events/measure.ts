import { startNats, startPostgres } from '@tsmicro/infra'
import { median, medians } from '../meter.ts'
import { Child } from '../process.ts'
import type { Pace, Sample } from './subject.ts'

export interface Plan {
  readonly rounds: number
  /** Of each measurement of a rate. */
  readonly events: number
  /** How long latencies are measured. */
  readonly latencyMs: number
}

export const FULL: Plan = { rounds: 7, events: 10_000, latencyMs: 4000 }
export const QUICK: Plan = { rounds: 3, events: 5000, latencyMs: 1500 }

/** Committed and handled as fast as possible, to find the rate of which a tenth is offered. */
const FOR_TOP_RATE = 1000

/** The compared subjects, in the order of a round. */
export const SUBJECTS = ['bare', 'bare-tuned', 'tsmicro'] as const
export const LOADS = ['publish', 'consume', 'latency'] as const

/** Medians over the rounds. */
export interface Result extends Sample {
  readonly load: (typeof LOADS)[number]
  readonly subject: (typeof SUBJECTS)[number]
}

/** Each subject has one process, and they take turns, so that other work affects both alike. The first round is not counted. */
export async function runPlan(
  { rounds, events, latencyMs }: Plan,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<readonly Result[]> {
  await using opened = new AsyncDisposableStack()
  const [nats, postgres] = await Promise.all([startNats({ ephemeral: true }), startPostgres({ ephemeral: true })])
  opened.use(nats)
  opened.use(postgres)
  const role = new URL('./roles/worker.ts', import.meta.url)
  const open = (subject: string) => opened.use(new Child(subject, role, [subject, nats.url, postgres.url]))
  const workers = SUBJECTS.map(subject => ({ subject, worker: open(subject) }))
  const samples: (Pick<Result, 'load' | 'subject'> & { readonly sample: Sample })[] = []
  const of = (load: Result['load'], subject: Result['subject']) =>
    samples.filter(each => each.load === load && each.subject === subject).map(({ sample }) => sample)
  let pace: Pace = { count: FOR_TOP_RATE }
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? 'bringing up:' : `\nround ${round} of ${rounds}:`)
    for (const load of LOADS) {
      const how = load === 'latency' ? pace : events
      for (const { subject, worker } of workers) {
        signal.throwIfAborted()
        const sample = await worker.ask<Sample>(load, how)
        samples.push({ load, subject, sample })
        const figure = load === 'latency' ? `${sample.p99Ms.toFixed(2)} ms p99` : `${Math.round(sample.perSecond)}/s`
        say(` ${load} ${subject} ${figure}`)
      }
    }
    if (round > 0) continue
    const perSecond = Math.max(10, Math.round(median(of('latency', 'tsmicro').map(each => each.perSecond)) / 10))
    pace = { perSecond, count: Math.ceil((perSecond * latencyMs) / 1000) }
    samples.length = 0
  }
  say('\n')
  return LOADS.flatMap(load => SUBJECTS.map(subject => ({ load, subject, ...medians(of(load, subject)) })))
}
