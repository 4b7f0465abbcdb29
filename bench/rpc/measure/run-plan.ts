import { startNats } from '@tsmicro/infra'
import { Child } from '../../common/child.ts'
import { roleFile } from '../roles.ts'
import type { SubjectName } from '../subjects.ts'
import { calibrate } from './calibrate.ts'
import type { Plan } from './plan.ts'
import type { Findings, Result } from './result.ts'
import { closedName, round } from './round.ts'
import { medianSample, type Sample } from './sample.ts'

/** Runs a plan against a nats-server of its own. Everything that was started has ended when this settles. */
export async function runPlan(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<Findings> {
  const samples = new Map<string, Sample[]>()
  const keyOf = (load: string, subject: string) => `${load}, ${subject}`
  await using nats = await startNats({ ephemeral: true })
  await using generator = new Child('HTTP generator', roleFile('http-generator'))
  const { httpPerSecond = await calibrate(plan, nats.url, generator, signal) } = plan
  say(`HTTP requests at ${httpPerSecond} a second`)
  for (let number = 1; number <= plan.rounds; number++) {
    let current = ''
    const onSample = (load: string, subject: SubjectName | 'baseline', sample: Sample) => {
      const key = keyOf(load, subject)
      samples.set(key, [...(samples.get(key) ?? []), sample])
      const told = load === 'http' ? `${sample.p99Ms.toFixed(2)} ms p99` : `${Math.round(sample.perSecond)}/s`
      say(`${load === current ? '' : `\nround ${number} of ${plan.rounds}, ${load}:`} ${subject} ${told}`)
      current = load
    }
    await round({ plan, natsUrl: nats.url, generator, httpPerSecond, signal, onSample })
  }
  say('\n')
  const of = (load: string, subject: string) => medianSample(samples.get(keyOf(load, subject)) ?? [])
  const baselineCpuMicros = of('http', 'baseline').cpuMicrosPerCall
  const closed = plan.inFlight.flatMap(inFlight =>
    plan.subjects.map(
      (subject): Result => ({ subject, load: 'closed', inFlight, ...of(closedName(inFlight), subject) }),
    ),
  )
  const http = plan.subjects.map((subject): Result => {
    const sample = of('http', subject)
    const cpuMicrosPerCall = sample.cpuMicrosPerCall - baselineCpuMicros
    return { subject, load: 'http', inFlight: 0, offeredPerSecond: httpPerSecond, ...sample, cpuMicrosPerCall }
  })
  return { results: [...closed, ...http], baselineCpuMicros }
}
