import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../install.ts'
import { medians, nextWindows, type Window } from '../meter.ts'
import { Child } from '../process.ts'
import { seed } from './seed.ts'
import { openSystem, type Services, type System } from './system.ts'
import { type Route, SERVICE_OF, type ServiceName } from './traffic.ts'

/** `now` is this checkout, `before` the one that it is compared with. */
const SUBJECTS = ['now', 'before'] as const
type SubjectName = (typeof SUBJECTS)[number]

const CONNECTIONS = [64, 1] as const

/** How long and how often is measured. Times in milliseconds. */
export interface Plan {
  readonly routes: readonly Route[]
  /** The root of another checkout. */
  readonly against: string | undefined
  /** Each with new processes: the same code differs by a tenth from one process to the next. */
  readonly rounds: number
  /** How often a round goes through all routes, and for each through both checkouts. */
  readonly passes: number
  /** For each route of new processes: lets the JIT compiler do its work, and fills caches. */
  readonly bringUpMs: number
  /** Before each measurement. */
  readonly warmUpMs: number
  readonly measuredMs: number
}

type Times = Omit<Plan, 'routes' | 'against'>
export const FULL: Times = { rounds: 5, passes: 4, bringUpMs: 4000, warmUpMs: 150, measuredMs: 700 }
export const QUICK: Times = { rounds: 1, passes: 4, bringUpMs: 700, warmUpMs: 50, measuredMs: 250 }

/** One measurement. */
type Sample = {
  readonly perSecond: number
  /** User and system time of both services per request, without the servers'. */
  readonly cpuMicros: number
  readonly p99Ms: number
  /** Resident memory of the service that answers. */
  readonly rssMb: number
}

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

/** Runs a plan. All processes have ended when this settles. */
export async function runPlan(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<Findings> {
  await using opened = new AsyncDisposableStack()
  const checkouts = { now: fileURLToPath(ROOT), before: plan.against }
  const subjects = SUBJECTS.filter(subject => checkouts[subject] !== undefined)
  const generator = opened.use(new Child('generator', new URL('./roles/generator.ts', import.meta.url)))
  const systems = await Promise.all(subjects.map(subject => openSystem(checkouts[subject] ?? '', opened)))
  const cells = plan.routes.flatMap(route =>
    CONNECTIONS.flatMap(connections => subjects.map((subject): Cell => ({ subject, route, connections }))),
  )
  const turns = new Map<Cell, Sample[]>(cells.map(cell => [cell, []]))
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
    const measured = (cell: Cell, warmUpMs: number, measuredMs: number) =>
      measure(generator, running.get(cell.subject), cell, { warmUpMs, measuredMs, signal })
    for (const cell of cells) await measured(cell, 0, plan.bringUpMs)
    for (let pass = 0; pass < plan.passes; pass++) {
      // Back and forth, so that the order of the checkouts does not matter.
      for (const cell of pass % 2 === 0 ? cells : cells.toReversed()) {
        const sample = await measured(cell, plan.warmUpMs, plan.measuredMs)
        turns.get(cell)?.push(sample)
        const name = `${cell.route}, ${cell.connections} connections: ${cell.subject}`
        say(`\n  ${name.padEnd(40)} ${Math.round(sample.perSecond)}/s, ${sample.cpuMicros.toFixed(1)} µs`)
      }
    }
    const after = await Promise.all(lives.map(memory))
    for (const [i, { subject, service, all }] of lives.entries()) {
      const startMs = running.get(subject)?.[service].startMs ?? 0
      all.push({ startMs, idleMb: idle[i] ?? 0, afterMb: after[i] ?? 0 })
    }
  }
  say('\n')
  return {
    results: [...turns].map(([cell, all]) => ({ bench: 'platform', ...cell, ...medians(all), turns: all })),
    services: lives.map(({ all, ...names }) => ({ ...names, ...medians(all) })),
  }
}

/** One route of one checkout under load. What happens after the warm-up counts. */
async function measure(
  generator: Child,
  services: Services | undefined,
  { subject, route, connections }: Cell,
  { warmUpMs, measuredMs, signal }: Pick<Plan, 'warmUpMs' | 'measuredMs'> & { readonly signal: AbortSignal },
): Promise<Sample> {
  if (!services) throw new TypeError('the services have not been started')
  const { process: answers, port } = services[SERVICE_OF[route]]
  const { process: isAsked } = services[SERVICE_OF[route] === 'auth' ? 'blog' : 'auth']
  const markOf = (process: Child) => process.ask<Window>('mark')
  const mark = () => Promise.all([markOf(generator), markOf(answers), markOf(isAsked)])
  await generator.ask('start', { name: `${subject} ${route}`, port, connections })
  if (warmUpMs > 0) await sleep(warmUpMs, undefined, { signal })
  const [asking, answering, other] = await nextWindows(mark, measuredMs, signal)
  await generator.ask('stop')
  if (asking.calls === 0) throw new Error(`${route} of ${subject}: nothing was answered for ${measuredMs} ms`)
  // The windows begin and end a message's travel time apart, so CPU is taken as a share of each process's own.
  const perMs = asking.calls / asking.elapsedMs
  const cpuMicros = [answering, other].reduce((sum, each) => sum + each.cpuMicros / each.elapsedMs / perMs, 0)
  return { perSecond: perMs * 1000, cpuMicros, p99Ms: asking.p99Ms, rssMb: answering.memoryMb }
}
