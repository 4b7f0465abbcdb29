import { startNats } from '@tsmicro/infra'
import { startLoad } from '../../tools/test/load.ts'
import { median, medians } from '../meter.ts'
import { Child } from '../process.ts'
import { type Ratio, ratioOf } from '../ratio.ts'
import { measureClosed, measureHttp, Pair, roleFile, type Sample, type Subject } from './pair.ts'
import type { SubjectName } from './subjects.ts'

/** How long and how often is measured. Times in milliseconds. */
export interface Plan {
  readonly subjects: readonly SubjectName[]
  /** Each with new processes: the same code differs by a tenth from one process to the next. */
  readonly rounds: number
  /** How often a round goes through all loads, and under each through all subjects. Turns are short, so that the machine is in the same state for all. */
  readonly passes: number
  /** Calls in flight of the closed loads. */
  readonly inFlight: readonly number[]
  /** The HTTP load is measured beside so many processes that compute without end. */
  readonly beside: readonly number[]
  /** Once for each load of new processes, as each has code of its own that has to be compiled, e.g. that of single calls or of batches. */
  readonly bringUpMs: number
  /** Before each measurement: a process that rested while the others had their turn begins with cold caches and pages. */
  readonly warmUpMs: number
  readonly closedMs: number
  readonly httpMs: number
  /** Offered HTTP requests per second; undefined: a share of what `bare` can do on this machine. */
  readonly httpPerSecond: number | undefined
}

type Times = Pick<Plan, 'rounds' | 'passes' | 'bringUpMs' | 'warmUpMs' | 'closedMs' | 'httpMs'>

export const FULL: Times = { rounds: 4, passes: 3, bringUpMs: 1500, warmUpMs: 300, closedMs: 700, httpMs: 1000 }
export const QUICK: Times = { rounds: 1, passes: 3, bringUpMs: 400, warmUpMs: 50, closedMs: 150, httpMs: 250 }

/** The closed loads that the targets refer to: one call, a usual number, and many. */
export const IN_FLIGHT = [1, 64, 512] as const
/** The HTTP load alone, and beside a load of four. */
export const BESIDE = [0, 4] as const

export interface Load {
  readonly load: 'closed' | 'http'
  /** 0 for `http`, where it follows from the offered rate. */
  readonly inFlight: number
  /** Processes that compute without end beside it. */
  readonly beside: number
}

/** One line of the JSON report: medians over all turns. */
export interface Result extends Load, Sample {
  readonly subject: SubjectName
  /** `http` only. */
  readonly offeredPerSecond?: number
  /** All measurements. Those with the same index, of any subject, were taken within the same minute. */
  readonly turns: readonly Sample[]
}

export interface Findings {
  readonly results: readonly Result[]
  /**
   * CPU of an HTTP request without a call, in microseconds, alone and beside each load; already subtracted from the results of `http`.
   */
  readonly baselines: readonly { readonly beside: number; readonly cpuMicros: number }[]
}

interface Cell extends Load {
  readonly subject: Subject
}

/** All that is measured, in its order: what is compared follows one another. */
function cellsOf({ subjects, inFlight, beside }: Plan): readonly Cell[] {
  const closed = inFlight.flatMap(each =>
    subjects.map((subject): Cell => ({ subject, load: 'closed', inFlight: each, beside: 0 })),
  )
  const http = beside.flatMap(each =>
    [...subjects, 'baseline' as const].map((subject): Cell => ({ subject, load: 'http', inFlight: 0, beside: each })),
  )
  return [...closed, ...http]
}

/** The name of a load in reports. */
export function nameOf({ load, inFlight, beside }: Load): string {
  if (load === 'closed') return `${inFlight} in flight`
  return beside === 0 ? 'HTTP' : `HTTP beside a load of ${beside}`
}

/** Runs a plan against a nats-server of its own. All processes have ended when this settles. */
export async function runPlan(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<Findings> {
  await using nats = await startNats({ ephemeral: true })
  await using generator = new Child('HTTP generator', roleFile('http-generator'))
  const { httpPerSecond = await calibrate(plan, nats.url, generator, signal) } = plan
  say(`HTTP requests at ${httpPerSecond} a second`)
  const cells = cellsOf(plan)
  const turns = new Map<Cell, Sample[]>(cells.map(cell => [cell, []]))
  for (let number = 1; number <= plan.rounds; number++) {
    say(`\nround ${number} of ${plan.rounds}`)
    await using begun = new AsyncDisposableStack()
    const pairs = new Map<Subject, Pair>()
    for (const subject of [...plan.subjects, 'baseline' as const])
      pairs.set(subject, begun.use(await Pair.start(subject, nats.url)))
    const measure = async (cell: Cell, warmUpMs: number, measuredMs: number): Promise<Sample> => {
      const pair = pairs.get(cell.subject)
      if (!pair) throw new TypeError(`${cell.subject} has not been started`)
      using _load = startLoad(cell.beside)
      const times = { warmUpMs, measuredMs, signal }
      if (cell.load === 'closed') return measureClosed(pair, cell.inFlight, times)
      return measureHttp(pair, generator, httpPerSecond, times)
    }
    for (const cell of cells) if (cell.beside === 0) await measure(cell, plan.bringUpMs, 0)
    for (let pass = 0; pass < plan.passes; pass++) {
      // Back and forth, so that the order of the subjects does not matter.
      for (const cell of pass % 2 === 0 ? cells : cells.toReversed()) {
        const sample = await measure(cell, plan.warmUpMs, cell.load === 'http' ? plan.httpMs : plan.closedMs)
        turns.get(cell)?.push(sample)
        const figures = `${Math.round(sample.perSecond)}/s, ${sample.cpuMicrosPerCall.toFixed(1)} µs, p99 ${sample.p99Ms.toFixed(2)} ms`
        say(`\n  ${`${nameOf(cell)}: ${cell.subject}`.padEnd(44)} ${figures}`)
      }
    }
    for (const [subject, pair] of pairs) if (subject !== 'baseline') await pair.reconcile()
  }
  say('\n')
  return findingsOf(turns, httpPerSecond)
}

function findingsOf(turns: ReadonlyMap<Cell, readonly Sample[]>, offeredPerSecond: number): Findings {
  const baselines = [...turns].flatMap(([{ subject, beside }, all]) =>
    subject === 'baseline' ? [{ beside, cpuMicros: median(all.map(({ cpuMicrosPerCall }) => cpuMicrosPerCall)) }] : [],
  )
  const results = [...turns].flatMap(([{ subject, ...load }, all]): Result[] => {
    if (subject === 'baseline') return []
    if (load.load === 'closed') return [{ subject, ...load, ...medians(all), turns: all }]
    const own = baselines.find(({ beside }) => beside === load.beside)?.cpuMicros ?? 0
    const net = all.map(sample => ({ ...sample, cpuMicrosPerCall: sample.cpuMicrosPerCall - own }))
    return [{ subject, ...load, offeredPerSecond, ...medians(net), turns: net }]
  })
  return { results, baselines }
}

/** @throws {RangeError} if the two were not measured equally often */
export function ratio(ours: Result, theirs: Result, figure: Figure): Ratio {
  const figures = ({ turns }: Result) => turns.map(turn => turn[figure])
  return ratioOf(figures(ours), figures(theirs))
}

export type Figure = 'perSecond' | 'p50Ms' | 'p99Ms' | 'cpuMicrosPerCall'

/** The share of `bare`'s maximum: busy, but not so busy that queueing alone decides the times. */
const SHARE = 0.6
/** The best of them counts, so that other work on the machine does not lower the rate. */
const ATTEMPTS = 3

/** The rate of HTTP requests for all subjects: a share of `bare`'s current maximum on this machine. */
async function calibrate(plan: Plan, natsUrl: string, generator: Child, signal: AbortSignal): Promise<number> {
  await using bare = await Pair.start('bare', natsUrl)
  const found: number[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const times = { warmUpMs: plan.bringUpMs, measuredMs: plan.httpMs / 2, signal }
    const { perSecond } = await measureHttp(bare, generator, undefined, times)
    found.push(perSecond)
  }
  return Math.max(100, Math.round((Math.max(...found) * SHARE) / 100) * 100)
}
