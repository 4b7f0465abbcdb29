import { fileURLToPath } from 'node:url'
import { ROOT } from '../install.ts'
import { medians, type Window } from '../meter.ts'
import { Child } from '../process.ts'
import { type Sample, type Times, takeTurns } from '../turns.ts'
import type { Order } from './load.ts'
import { seed } from './seed.ts'
import { openSystem, type Services, type System } from './system.ts'
import { type Route, SERVICE_OF, type ServiceName } from './traffic.ts'

/** `now` is this checkout, `before` the one that it is compared with. */
const SUBJECTS = ['now', 'before'] as const
type SubjectName = (typeof SUBJECTS)[number]

const CONNECTIONS = [64, 1] as const

export interface Plan extends Times {
  readonly routes: readonly Route[]
  /** The root of another checkout. */
  readonly against: string | undefined
}

export const FULL: Times = { rounds: 5, passes: 4, bringUpMs: 4000, warmUpMs: 150, measuredMs: 700 }
export const QUICK: Times = { rounds: 1, passes: 4, bringUpMs: 700, warmUpMs: 50, measuredMs: 250 }

interface Cell {
  readonly subject: SubjectName
  readonly route: Route
  readonly connections: number
}

/** One line of the JSON report: medians over all measurements. */
export interface Result extends Cell, Sample {
  readonly bench: 'platform'
  /** All measurements. Those with the same index, of either checkout, were taken within the same minute. */
  readonly turns: readonly Sample[]
}

/** A service at its start, and after all measurements of a round. */
type Life = { readonly startMs: number; readonly idleMb: number; readonly afterMb: number }

export interface Findings {
  readonly results: readonly Result[]
  readonly services: readonly (Life & { readonly subject: SubjectName; readonly service: ServiceName })[]
}

export const generatorFile = new URL('./roles/generator.ts', import.meta.url)

const labelOf = ({ subject, route, connections }: Cell) => `${route}, ${connections} connections: ${subject}`

/** Runs a plan. All processes have ended when this settles. */
export async function runPlan(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<Findings> {
  await using opened = new AsyncDisposableStack()
  const checkouts = { now: fileURLToPath(ROOT), before: plan.against }
  const subjects = SUBJECTS.filter(subject => checkouts[subject] !== undefined)
  const generator = opened.use(new Child('generator', generatorFile))
  const systems = await Promise.all(subjects.map(subject => openSystem(checkouts[subject] ?? '', opened)))
  const cells = plan.routes.flatMap(route =>
    CONNECTIONS.flatMap(connections => subjects.map((subject): Cell => ({ subject, route, connections }))),
  )
  const samples = new Map<Cell, Sample[]>(cells.map(cell => [cell, []]))
  const lives = subjects.flatMap(subject =>
    (['auth', 'blog'] as const).map(service => ({ subject, service, all: [] as Life[] })),
  )
  for (let number = 1; number <= plan.rounds; number++) {
    say(`\nround ${number} of ${plan.rounds}`)
    await using children = new AsyncDisposableStack()
    const running = new Map<SubjectName, Services>()
    for (const [i, subject] of subjects.entries()) {
      const services = await (systems[i] as System).start(children)
      running.set(subject, services)
      if (number === 1)
        for (const [route, requests] of Object.entries(await seed(systems[i] as System, services)))
          await generator.ask('know', { name: `${subject} ${route}`, requests })
    }
    const memory = async ({ subject, service }: (typeof lives)[number]) =>
      (await running.get(subject)?.[service].process.ask<Window>('mark'))?.memoryMb ?? 0
    const idle = await Promise.all(lives.map(memory))
    const turnOf = ({ subject, route, connections }: Cell) => {
      const services = running.get(subject) as Services
      const { process, port } = services[SERVICE_OF[route]]
      const { process: other } = services[SERVICE_OF[route] === 'auth' ? 'blog' : 'auth']
      const order: Order = { name: `${subject} ${route}`, port, connections }
      return { generator, order, answering: [process, other] as const }
    }
    await takeTurns(samples, plan, { turnOf, labelOf }, { signal, say })
    const after = await Promise.all(lives.map(memory))
    for (const [i, { subject, service, all }] of lives.entries()) {
      const startMs = running.get(subject)?.[service].startMs ?? 0
      all.push({ startMs, idleMb: idle[i] ?? 0, afterMb: after[i] ?? 0 })
    }
  }
  say('\n')
  return {
    results: [...samples].map(([cell, turns]) => ({ bench: 'platform', ...cell, ...medians(turns), turns })),
    services: lives.map(({ all, ...names }) => ({ ...names, ...medians(all) })),
  }
}
