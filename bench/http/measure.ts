import { setTimeout as sleep } from 'node:timers/promises'
import { medians, nextWindows, type Window } from '../meter.ts'
import { Child } from '../process.ts'
import { type Ratio, ratioOf } from '../ratio.ts'
import { SUBJECTS, type SubjectName } from './subjects.ts'
import { ROUTES, type Route } from './traffic.ts'

/** How long and how often is measured. Times in milliseconds. */
export interface Plan {
  readonly subjects: readonly SubjectName[]
  readonly routes: readonly Route[]
  readonly logs: readonly boolean[]
  /** Each with new processes: the same code differs by a tenth from one process to the next. */
  readonly rounds: number
  /** How often a round goes through all routes, and for each through all subjects. Turns are short, so that the machine is in the same state for all. */
  readonly passes: number
  /** For each route of a new process: lets the JIT compiler do its work, which takes up to 20,000 requests. */
  readonly bringUpMs: number
  /** Before each measurement. */
  readonly warmUpMs: number
  readonly measuredMs: number
}

type Times = Omit<Plan, 'subjects' | 'routes' | 'logs'>

export const FULL: Times = { rounds: 5, passes: 4, bringUpMs: 2000, warmUpMs: 150, measuredMs: 600 }
export const QUICK: Times = { rounds: 1, passes: 3, bringUpMs: 450, warmUpMs: 50, measuredMs: 200 }

/** One measurement. */
export type Sample = {
  readonly perSecond: number
  /** User and system time of the service's process. */
  readonly cpuMicros: number
  readonly p99Ms: number
  /** Resident memory of the service's process. */
  readonly rssMb: number
}

interface Cell {
  readonly subject: SubjectName
  readonly route: Route
  readonly log: boolean
  /** Whether the gateway has signed the requests, for tsmicro alone; its protected route always wants that. */
  readonly signed: boolean
}

/** One line of the JSON report: medians over all measurements. */
export interface Result extends Cell, Sample {
  readonly bench: 'http'
  /** All measurements. Those with the same index, of any subject, were taken within the same minute. */
  readonly turns: readonly Sample[]
}

export const roleFile = (role: 'server' | 'generator') => new URL(`./roles/${role}.ts`, import.meta.url)

const labelOf = ({ subject, route, log, signed }: Cell) =>
  `${route}${log ? ', logged' : ''}: ${subject}${signed && route !== 'protected' ? ', signed' : ''}`

/** All that is measured, in its order: what is compared follows one another. */
export function cellsOf({ subjects, routes, logs }: Plan): readonly Cell[] {
  return logs.flatMap(log =>
    routes.flatMap(route =>
      subjects.flatMap((subject): readonly Cell[] => {
        const own = subject === 'tsmicro'
        const plain = { subject, route, log, signed: own && route === 'protected' }
        return own && route !== 'protected' ? [plain, { ...plain, signed: true }] : [plain]
      }),
    ),
  )
}

/** Runs a plan. All processes have ended when this settles. */
export async function runPlan(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<Result[]> {
  const cells = cellsOf(plan)
  const turns = new Map<Cell, Sample[]>(cells.map(cell => [cell, []]))
  for (let number = 1; number <= plan.rounds; number++) {
    say(`\nround ${number} of ${plan.rounds}`)
    await using children = new AsyncDisposableStack()
    const generator = children.use(new Child('generator', roleFile('generator')))
    const services = new Map<string, Service>()
    for (const { subject, log } of cells) {
      const key = `${subject} ${log}`
      if (services.has(key)) continue
      const process = children.use(new Child(subject, roleFile('server'), [subject, String(log)]))
      services.set(key, { process, port: await process.ask<number>('ready') })
    }
    const measured = (cell: Cell, warmUpMs: number, measuredMs: number) =>
      measure(generator, services.get(`${cell.subject} ${cell.log}`), cell, { warmUpMs, measuredMs, signal })
    for (const cell of cells) await measured(cell, 0, plan.bringUpMs)
    for (let pass = 0; pass < plan.passes; pass++) {
      // Back and forth, so that the order of the subjects does not matter.
      for (const cell of pass % 2 === 0 ? cells : cells.toReversed()) {
        const sample = await measured(cell, plan.warmUpMs, plan.measuredMs)
        turns.get(cell)?.push(sample)
        say(`\n  ${labelOf(cell).padEnd(40)} ${Math.round(sample.perSecond)}/s, ${sample.cpuMicros.toFixed(1)} µs`)
      }
    }
  }
  say('\n')
  return [...turns].map(([cell, all]) => ({ bench: 'http', ...cell, ...medians(all), turns: all }))
}

interface Service {
  readonly process: Child
  readonly port: number
}

/** One route of one service under load. What happens after the warm-up counts. */
export async function measure(
  generator: Child,
  service: Service | undefined,
  { route, signed }: Pick<Cell, 'route' | 'signed'>,
  { warmUpMs, measuredMs, signal }: Pick<Plan, 'warmUpMs' | 'measuredMs'> & { readonly signal: AbortSignal },
): Promise<Sample> {
  if (!service) throw new TypeError('the service has not been started')
  const { process, port } = service
  const mark = () => Promise.all([generator.ask<Window>('mark'), process.ask<Window>('mark')])
  await generator.ask('start', { port, route, signed })
  if (warmUpMs > 0) await sleep(warmUpMs, undefined, { signal })
  const [asking, working] = await nextWindows(mark, measuredMs, signal)
  await generator.ask('stop')
  if (asking.calls === 0) throw new Error(`${process.name} answered nothing for ${measuredMs} ms`)
  // The two windows begin and end a message's travel time apart, so CPU is taken as a share of the service's own window.
  const perMs = asking.calls / asking.elapsedMs
  return {
    perSecond: perMs * 1000,
    cpuMicros: working.cpuMicros / working.elapsedMs / perMs,
    p99Ms: asking.p99Ms,
    rssMb: working.memoryMb,
  }
}

/** @throws {RangeError} if the two were not measured equally often */
export function ratio(ours: Result, theirs: Result, figure: 'perSecond' | 'cpuMicros'): Ratio {
  const figures = ({ turns }: Result) => turns.map(turn => turn[figure])
  return ratioOf(figures(ours), figures(theirs))
}

export const ALL = { subjects: SUBJECTS, routes: ROUTES, logs: [false, true] } as const
