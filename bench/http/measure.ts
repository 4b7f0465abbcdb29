import { medians } from '../meter.ts'
import { Child } from '../process.ts'
import { type Ratio, ratioOf } from '../ratio.ts'
import { type Sample, type Times, takeTurns } from '../turns.ts'
import type { Order } from './load.ts'
import { SUBJECTS, type SubjectName } from './subjects.ts'
import { ROUTES, type Route } from './traffic.ts'

export interface Plan extends Times {
  readonly subjects: readonly SubjectName[]
  readonly routes: readonly Route[]
  readonly logs: readonly boolean[]
}

export const FULL: Times = { rounds: 5, passes: 4, bringUpMs: 2000, warmUpMs: 150, measuredMs: 600 }
export const QUICK: Times = { rounds: 1, passes: 3, bringUpMs: 450, warmUpMs: 50, measuredMs: 200 }
export const ALL = { subjects: SUBJECTS, routes: ROUTES, logs: [false, true] } as const

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
  const samples = new Map<Cell, Sample[]>(cells.map(cell => [cell, []]))
  for (let number = 1; number <= plan.rounds; number++) {
    say(`\nround ${number} of ${plan.rounds}`)
    await using children = new AsyncDisposableStack()
    const generator = children.use(new Child('generator', roleFile('generator')))
    const services = new Map<string, Service>()
    const keyOf = ({ subject, log }: Cell) => `${subject} ${log}`
    for (const cell of cells) {
      const { subject, log } = cell
      if (services.has(keyOf(cell))) continue
      const process = children.use(new Child(subject, roleFile('server'), [subject, String(log)]))
      services.set(keyOf(cell), { process, port: await process.ask<number>('ready') })
    }
    const turnOf = (cell: Cell) => {
      const { process, port } = services.get(keyOf(cell)) as Service
      const { route, signed } = cell
      return { generator, order: { port, route, signed } satisfies Order, answering: [process] as const }
    }
    await takeTurns(samples, plan, { turnOf, labelOf }, { signal, say })
  }
  say('\n')
  return [...samples].map(([cell, turns]) => ({ bench: 'http', ...cell, ...medians(turns), turns }))
}

interface Service {
  readonly process: Child
  readonly port: number
}

/** @throws {RangeError} if the two were not measured equally often */
export function ratio(ours: Result, theirs: Result, figure: 'perSecond' | 'cpuMicros'): Ratio {
  const figures = ({ turns }: Result) => turns.map(turn => turn[figure])
  return ratioOf(figures(ours), figures(theirs))
}
