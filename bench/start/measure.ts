import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../install.ts'
import { medians, type Window } from '../meter.ts'
import { generatorFile } from '../platform/measure.ts'
import { seed } from '../platform/seed.ts'
import { openSystem, type System } from '../platform/system.ts'
import { Child } from '../process.ts'
import { launch } from './launch.ts'
import { openSubjects, type Subject, type SubjectName } from './subjects.ts'
import { startWholeSystem } from './whole-system.ts'

export interface Plan {
  readonly subjects: readonly SubjectName[]
  /** How often each is started, in turn. */
  readonly rounds: number
  /** How long a process has been idle when its memory is read. */
  readonly idleMs: number
  /** After how many requests the blog service's memory is read; 0: not at all. */
  readonly requests: number
  /** How often `npm start` is measured. */
  readonly wholeStarts: number
}

export const FULL = { rounds: 21, idleMs: 1000, requests: 1_000_000, wholeStarts: 7 }
export const QUICK = { rounds: 5, idleMs: 300, requests: 30_000, wholeStarts: 2 }

/** One start. */
export type Sample = {
  /** From the start of the process until its first answer. */
  readonly startMs: number
  /** User and system time until then. */
  readonly cpuMs: number
  /** Resident memory, a moment later. */
  readonly idleMb: number
}

/** One line of the JSON report: medians over all starts. */
export interface Result extends Sample {
  readonly bench: 'start'
  readonly subject: SubjectName
  /** All starts. Those with the same index, of any subject, were in the same round. */
  readonly turns: readonly Sample[]
}

export interface Findings {
  readonly results: readonly Result[]
  /** The blog service, in MB, after so many reads. */
  readonly afterLoad: { readonly requests: number; readonly nowMb: number; readonly highestMb: number } | undefined
  /** `npm start` with data and caches of earlier starts, each in ms. */
  readonly wholeStartsMs: readonly number[]
}

/** Runs a plan. All processes have ended when this settles. */
export async function runPlan(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<Findings> {
  await using opened = new AsyncDisposableStack()
  const system = plan.subjects.includes('blog') ? await openSystem(fileURLToPath(ROOT), opened) : undefined
  const subjects = await openSubjects(plan.subjects, system)
  const samples = new Map([...subjects.keys()].map(name => [name, [] as Sample[]]))
  // The first round fills caches: the compile cache, and the operating system's of files.
  for (let round = 0; round <= plan.rounds; round++) {
    for (const [name, subject] of round % 2 === 0 ? [...subjects] : [...subjects].reverse()) {
      const sample = await startOnce(subject, plan.idleMs, signal)
      if (round === 0) continue
      samples.get(name)?.push(sample)
      say(
        `\n  ${name.padEnd(20)} ${sample.startMs.toFixed(0)} ms, ${sample.cpuMs} ms CPU, ${sample.idleMb.toFixed(0)} MB`,
      )
    }
  }
  const results = [...samples].map(([subject, turns]) => ({
    bench: 'start' as const,
    subject,
    ...medians(turns),
    turns,
  }))
  const afterLoad = system && plan.requests > 0 ? await loadBlog(system, plan, signal, say) : undefined
  const wholeStartsMs = plan.wholeStarts > 0 ? await wholeStarts(plan.wholeStarts, signal, say) : []
  say('\n')
  return { results, afterLoad, wholeStartsMs }
}

async function startOnce(subject: Subject, idleMs: number, signal: AbortSignal): Promise<Sample> {
  await using running = await launch(subject, signal)
  await sleep(idleMs, undefined, { signal })
  return { startMs: running.startMs, cpuMs: running.cpuMs, idleMb: running.memory().nowMb }
}

const CONNECTIONS = 64
/** The gateway's signature is valid for half a minute, and each start of the load signs again. */
const SIGNED_MS = 10_000

async function loadBlog(system: System, plan: Plan, signal: AbortSignal, say: (text: string) => void) {
  await using stack = new AsyncDisposableStack()
  const services = await system.start(stack)
  const { public: requests } = await seed(system, services)
  const generator = stack.use(new Child('generator', generatorFile))
  await generator.ask('know', { name: 'public', requests })
  const blog = stack.use(await launch({ ...system.deployed('blog'), readyPath: '/health/ready' }, signal))
  let answered = 0
  while (answered < plan.requests) {
    await generator.ask('start', { name: 'public', port: blog.port, connections: CONNECTIONS })
    for (const until = performance.now() + SIGNED_MS; performance.now() < until && answered < plan.requests; ) {
      await sleep(200, undefined, { signal })
      answered += (await generator.ask<Window>('mark')).calls
    }
    await generator.ask('stop')
    say(`\n  ${answered} requests: ${blog.memory().nowMb.toFixed(0)} MB`)
  }
  await sleep(plan.idleMs, undefined, { signal })
  return { requests: answered, ...blog.memory() }
}

async function wholeStarts(count: number, signal: AbortSignal, say: (text: string) => void): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-start-'))
  try {
    const all: number[] = []
    for (let number = 0; number <= count; number++) {
      const startMs = await startWholeSystem(folder, signal)
      say(`\n  npm start            ${startMs.toFixed(0)} ms${number === 0 ? ', the first time' : ''}`)
      if (number > 0) all.push(startMs)
    }
    return all
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
