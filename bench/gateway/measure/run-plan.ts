import { Child } from '../../common/child.ts'
import { CONNECTIONS, type LoadName } from '../load/load.ts'
import { roleFile } from '../roles.ts'
import type { Door } from '../subject.ts'
import type { SubjectName } from '../subjects.ts'
import { measure, medianSample, type Opened } from './measure.ts'
import type { Plan } from './plan.ts'
import type { Result, Sample } from './result.ts'

const BRING_UP = [
  ['get', 0.7],
  ['post', 0.3],
] as const

type Collect = (load: LoadName, subject: SubjectName, sample: Sample) => void

/** Runs a plan. Everything that was started has ended when this settles. */
export async function runPlan(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<Result[]> {
  const samples = new Map<string, Sample[]>()
  const keyOf = (load: LoadName, subject: SubjectName) => `${load} ${subject}`
  for (let number = 1; number <= plan.rounds; number++) {
    say(`\nround ${number} of ${plan.rounds}`)
    await round(plan, signal, (load, subject, sample) => {
      const key = keyOf(load, subject)
      samples.set(key, [...(samples.get(key) ?? []), sample])
      const { cpuMicrosPerRequest: cpu, perSecond } = sample
      say(`\n  ${load.padEnd(4)} ${subject.padEnd(20)} ${Math.round(perSecond)}/s, ${cpu.toFixed(1)} µs`)
    })
  }
  say('\n')
  return plan.loads.flatMap(load =>
    plan.subjects.map((subject): Result => {
      const turns = samples.get(keyOf(load, subject)) ?? []
      return { subject, load, connections: CONNECTIONS, ...medianSample(turns), turns }
    }),
  )
}

/** Every load for one subject after the other, several times: whatever else the machine does meets all alike. */
async function round(plan: Plan, signal: AbortSignal, collect: Collect): Promise<void> {
  const { warmUpMs, settlingMs, measuredMs, bringUpMs } = plan
  await using children = new AsyncDisposableStack()
  const generator = children.use(new Child('generator', roleFile('generator')))
  const upstream = children.use(new Child('upstream', roleFile('upstream')))
  const upstreamPort = await upstream.ask<number>('ready')
  const proxies = new Map<SubjectName, Opened>()
  for (const subject of plan.subjects) {
    const process = children.use(new Child(subject, roleFile('proxy'), [subject, String(upstreamPort)]))
    proxies.set(subject, { process, door: await process.ask<Door>('ready') })
  }
  for (const proxy of proxies.values()) {
    for (const [load, share] of BRING_UP)
      await measure(generator, proxy, { load, warmUpMs, settlingMs, measuredMs: share * bringUpMs, signal })
  }
  for (let pass = 0; pass < plan.passes; pass++) {
    for (const load of plan.loads) {
      // There and back again: who comes after whom must not matter.
      for (const [subject, proxy] of pass % 2 === 0 ? proxies : [...proxies].toReversed())
        collect(load, subject, await measure(generator, proxy, { load, warmUpMs, settlingMs, measuredMs, signal }))
    }
  }
}
