import { setTimeout as sleep } from 'node:timers/promises'
import { median, medians, nextWindows, type Window } from '../meter.ts'
import { Child } from '../process.ts'
import { CONNECTIONS, type LoadName } from './load.ts'
import type { SubjectName } from './subjects.ts'
import type { Door } from './traffic.ts'

/** How long and how often is measured. Times in milliseconds. */
export interface Plan {
  readonly subjects: readonly SubjectName[]
  readonly loads: readonly LoadName[]
  /** Each with new processes: the same code differs by a tenth from one process to the next. */
  readonly rounds: number
  /**
   * How often a round goes through all loads, and for each through all subjects. Turns are short, so that the machine is in the same state
   * for all.
   */
  readonly passes: number
  /** Once for each new process: lets the JIT compiler do its work, which takes up to 20,000 requests. */
  readonly bringUpMs: number
  /** Before each measurement. */
  readonly warmUpMs: number
  /** Added for `slow`: large answers first fill every buffer on the way, and a thousand connections are opened. */
  readonly settlingMs: number
  readonly measuredMs: number
}

type Times = Omit<Plan, 'subjects' | 'loads'>

export const FULL: Times = { rounds: 3, passes: 4, bringUpMs: 9000, warmUpMs: 150, settlingMs: 1500, measuredMs: 700 }
export const QUICK: Times = { rounds: 1, passes: 2, bringUpMs: 1500, warmUpMs: 100, settlingMs: 500, measuredMs: 300 }

/** One measurement. For `slow`, only of the 64 clients that are not slow. */
export type Sample = {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** User and system time of the proxy's process alone. */
  readonly cpuMicrosPerRequest: number
  /** Resident memory of the proxy's process. */
  readonly memoryMb: number
}

/** One line of the JSON report: medians over all measurements. */
export interface Result extends Sample {
  readonly subject: SubjectName
  readonly load: LoadName
  readonly connections: number
  /** All measurements. Those with the same index, of any subject and load, were taken within the same minute. */
  readonly turns: readonly Sample[]
}

/** The running process of a subject. */
export interface Proxy {
  readonly process: Child
  readonly door: Door
}

export type Turn = Pick<Plan, 'warmUpMs' | 'settlingMs' | 'measuredMs'> & {
  readonly load: LoadName
  readonly signal: AbortSignal
}

export const roleFile = (role: 'upstream' | 'proxy' | 'generator') => new URL(`./roles/${role}.ts`, import.meta.url)

const BRING_UP = [
  ['get', 0.7],
  ['post', 0.3],
] as const

/** Runs a plan. All processes have ended when this settles. */
export async function runPlan(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<Result[]> {
  const samples: { readonly load: LoadName; readonly subject: SubjectName; readonly sample: Sample }[] = []
  for (let number = 1; number <= plan.rounds; number++) {
    say(`\nround ${number} of ${plan.rounds}`)
    await round(plan, signal, (load, subject, sample) => {
      samples.push({ load, subject, sample })
      const { cpuMicrosPerRequest: cpu, perSecond } = sample
      say(`\n  ${load.padEnd(4)} ${subject.padEnd(20)} ${Math.round(perSecond)}/s, ${cpu.toFixed(1)} µs`)
    })
  }
  say('\n')
  return plan.loads.flatMap(load =>
    plan.subjects.map((subject): Result => {
      const turns = samples.filter(each => each.load === load && each.subject === subject).map(({ sample }) => sample)
      return { subject, load, connections: CONNECTIONS, ...medians(turns), turns }
    }),
  )
}

/** Measures every load for one subject after the other, several times, so that other work of the machine affects all alike. */
async function round(
  plan: Plan,
  signal: AbortSignal,
  collect: (load: LoadName, subject: SubjectName, sample: Sample) => void,
): Promise<void> {
  await using children = new AsyncDisposableStack()
  const generator = children.use(new Child('generator', roleFile('generator')))
  const upstream = children.use(new Child('upstream', roleFile('upstream')))
  const upstreamPort = await upstream.ask<number>('ready')
  const proxies = new Map<SubjectName, Proxy>()
  for (const subject of plan.subjects) {
    const process = children.use(new Child(subject, roleFile('proxy'), [subject, String(upstreamPort)]))
    proxies.set(subject, { process, door: await process.ask<Door>('ready') })
  }
  for (const proxy of proxies.values()) {
    for (const [load, share] of BRING_UP)
      await measure(generator, proxy, { ...plan, load, measuredMs: share * plan.bringUpMs, signal })
  }
  for (let pass = 0; pass < plan.passes; pass++) {
    for (const load of plan.loads) {
      // Back and forth, so that the order of the subjects does not matter.
      for (const [subject, proxy] of pass % 2 === 0 ? proxies : [...proxies].toReversed())
        collect(load, subject, await measure(generator, proxy, { ...plan, load, signal }))
    }
  }
}

/** One load on one proxy. What happens after the warm-up counts. */
export async function measure(generator: Child, { process, door }: Proxy, turn: Turn): Promise<Sample> {
  const { load, warmUpMs, settlingMs, measuredMs, signal } = turn
  const mark = () => Promise.all([generator.ask<Window>('mark'), process.ask<Window>('mark')])
  await generator.ask('start', { door, load })
  await sleep(load === 'slow' ? warmUpMs + settlingMs : warmUpMs, undefined, { signal })
  const windows = await nextWindows(mark, measuredMs, signal)
  await generator.ask('stop')
  if (windows[0].calls === 0) throw new Error(`${process.name} answered nothing for ${measuredMs} ms`)
  return sampleOf(...windows)
}

/** The two windows begin and end a message's travel time apart, so CPU is taken as a share of the proxy's own window. */
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

/**
 * The median of each turn's ratio: the machine's speed differs more from minute to minute than the proxies do, and cancels out.
 *
 * @throws RangeError if the two were not measured equally often
 */
export function ratio(ours: Result, theirs: Result, figure: 'perSecond' | 'cpuMicrosPerRequest'): number {
  if (ours.turns.length !== theirs.turns.length) throw new RangeError('not measured equally often')
  return median(ours.turns.map((turn, i) => turn[figure] / (theirs.turns[i]?.[figure] ?? 0)))
}
