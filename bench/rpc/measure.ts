import { setTimeout as sleep } from 'node:timers/promises'
import { startNats } from '@tsmicro/infra'
import { medians, type Window } from '../meter.ts'
import { Child } from '../process.ts'
import { ALL_SUBJECTS, type SubjectName } from './subjects.ts'

/** How long and how often is measured. Times in milliseconds. */
export interface Plan {
  readonly subjects: readonly SubjectName[]
  readonly rounds: number
  /** Calls in flight of the closed loads. */
  readonly inFlight: readonly number[]
  /** Once for each new pair of processes, with 64 calls in flight: lets the JIT compiler do its work. */
  readonly bringUpMs: number
  /** Before each measurement: a process that rested while the others had their turn begins with cold caches and pages. */
  readonly warmUpMs: number
  readonly closedMs: number
  readonly httpMs: number
  /** Offered HTTP requests per second; undefined: a share of what `bare` can do on this machine. */
  readonly httpPerSecond: number | undefined
}

type Times = Pick<Plan, 'rounds' | 'bringUpMs' | 'warmUpMs' | 'closedMs' | 'httpMs'>

export const FULL: Times = { rounds: 5, bringUpMs: 1500, warmUpMs: 1000, closedMs: 2000, httpMs: 2500 }
export const QUICK: Times = { rounds: 2, bringUpMs: 400, warmUpMs: 150, closedMs: 500, httpMs: 800 }

/** The closed loads that the targets refer to: one call, a usual number, and many. */
export const IN_FLIGHT = [1, 64, 512] as const

/** One measurement of one subject under one load. */
export type Sample = {
  readonly perSecond: number
  /** Of one call; for `http` of the whole HTTP request, from when it was due. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of client and server process together; in results of `http` without what the HTTP server needs by itself. */
  readonly cpuMicrosPerCall: number
  /** How often client and server process together were woken per call. */
  readonly wakeUpsPerCall: number
  /** Resident memory of client and server process together. */
  readonly memoryMb: number
}

/** One line of the JSON report: medians over the rounds. */
export interface Result extends Sample {
  readonly subject: SubjectName
  readonly load: 'closed' | 'http'
  /** 0 for `http`, where it follows from the offered rate. */
  readonly inFlight: number
  /** `http` only. */
  readonly offeredPerSecond?: number
}

export interface Findings {
  readonly results: readonly Result[]
  /** CPU of an HTTP request without a call, in microseconds; already subtracted from the results of `http`. */
  readonly baselineCpuMicros: number
}

export const roleFile = (role: 'client' | 'server' | 'http-generator') => new URL(`./roles/${role}.ts`, import.meta.url)

type Subject = SubjectName | 'baseline'

/** Runs a plan against a nats-server of its own. All processes have ended when this settles. */
export async function runPlan(plan: Plan, signal: AbortSignal, say: (text: string) => void): Promise<Findings> {
  const samples: { readonly load: string; readonly subject: Subject; readonly sample: Sample }[] = []
  await using nats = await startNats({ ephemeral: true })
  await using generator = new Child('HTTP generator', roleFile('http-generator'))
  const { httpPerSecond = await calibrate(plan, nats.url, generator, signal) } = plan
  say(`HTTP requests at ${httpPerSecond} a second`)
  let current = ''
  for (let number = 1; number <= plan.rounds; number++) {
    await round(plan, nats.url, generator, httpPerSecond, signal, (load, subject, sample) => {
      samples.push({ load, subject, sample })
      const figure = load === 'http' ? `${sample.p99Ms.toFixed(2)} ms p99` : `${Math.round(sample.perSecond)}/s`
      const heading = `\nround ${number} of ${plan.rounds}, ${load}:`
      say(`${heading === current ? '' : heading} ${subject} ${figure}`)
      current = heading
    })
  }
  say('\n')
  const of = (load: string, subject: Subject) =>
    medians(samples.filter(each => each.load === load && each.subject === subject).map(({ sample }) => sample))
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

const closedName = (inFlight: number) => `${inFlight} in flight`

/** Measures every load for one subject after the other, so that other work of the machine affects all alike. */
async function round(
  plan: Plan,
  natsUrl: string,
  generator: Child,
  httpPerSecond: number,
  signal: AbortSignal,
  collect: (load: string, subject: Subject, sample: Sample) => void,
): Promise<void> {
  await using pairs = new AsyncDisposableStack()
  const all: Pair[] = []
  for (const subject of [...plan.subjects, 'baseline' as const]) all.push(pairs.use(await Pair.start(subject, natsUrl)))
  const callers = all.filter(({ subject }) => subject !== 'baseline')
  for (const pair of callers) await measureClosed(pair, 64, plan.bringUpMs, 0, signal)
  for (const inFlight of plan.inFlight) {
    for (const pair of callers) {
      const sample = await measureClosed(pair, inFlight, plan.warmUpMs, plan.closedMs, signal)
      collect(closedName(inFlight), pair.subject, sample)
    }
  }
  for (const pair of all) {
    const sample = await measureHttp(pair, generator, httpPerSecond, plan.warmUpMs, plan.httpMs, signal)
    collect('http', pair.subject, sample)
  }
  for (const pair of callers) await pair.reconcile()
}

/** The share of `bare`'s maximum: busy, but not so busy that queueing alone decides the times. */
const SHARE = 0.6
/** The best of them counts, so that other work on the machine does not lower the rate. */
const ATTEMPTS = 3

/** The rate of HTTP requests for all subjects: a share of `bare`'s current maximum on this machine. */
async function calibrate(plan: Plan, natsUrl: string, generator: Child, signal: AbortSignal): Promise<number> {
  await using bare = await Pair.start('bare', natsUrl)
  const found: number[] = []
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { perSecond } = await measureHttp(bare, generator, undefined, plan.bringUpMs, plan.httpMs / 2, signal)
    found.push(perSecond)
  }
  return Math.max(100, Math.round((Math.max(...found) * SHARE) / 100) * 100)
}

/** Runs this many callers at once. Only what follows the warm-up counts. */
async function measureClosed(pair: Pair, inFlight: number, warmUpMs: number, measuredMs: number, signal: AbortSignal) {
  await pair.client.ask('start', inFlight)
  const working = await measured(() => pair.mark(), warmUpMs, measuredMs, signal)
  await pair.client.ask('stop')
  return sampleOf(working[0], working)
}

/** Enough that a request seldom waits for one, but few enough not to bury a server that falls behind. */
const CONNECTIONS = 128
const CALIBRATING_CONNECTIONS = 64

/** Sends independent HTTP requests at a rate; without one, as many as 64 connections can. The CPU time includes the HTTP server's. */
async function measureHttp(
  pair: Pair,
  generator: Child,
  perSecond: number | undefined,
  warmUpMs: number,
  measuredMs: number,
  signal: AbortSignal,
) {
  const connections = perSecond === undefined ? CALIBRATING_CONNECTIONS : CONNECTIONS
  await generator.ask('start', { port: pair.httpPort, connections, perSecond })
  const mark = () => Promise.all([generator.ask<Window>('mark'), pair.mark()])
  const [asking, working] = await measured(mark, warmUpMs, measuredMs, signal)
  await generator.ask('stop')
  return sampleOf(asking, working)
}

async function measured<T>(mark: () => Promise<T>, warmUpMs: number, measuredMs: number, signal: AbortSignal) {
  await sleep(warmUpMs, undefined, { signal })
  await mark()
  await sleep(measuredMs, undefined, { signal })
  return mark()
}

/**
 * Combines the windows of several processes. They begin and end a message's travel time apart, so CPU and wake-ups are taken
 * as a share of each process's own window.
 *
 * @param asking where the latencies were measured
 * @param working whose CPU, wake-ups and memory count
 */
export function sampleOf(asking: Window, working: readonly Window[]): Sample {
  const callsPerMs = asking.calls / asking.elapsedMs
  const sum = (figure: (window: Window) => number) => working.reduce((total, window) => total + figure(window), 0)
  return {
    perSecond: callsPerMs * 1000,
    p50Ms: asking.p50Ms,
    p99Ms: asking.p99Ms,
    cpuMicrosPerCall: sum(({ cpuMicros, elapsedMs }) => cpuMicros / elapsedMs) / callsPerMs,
    wakeUpsPerCall: sum(({ wakeUps, elapsedMs }) => wakeUps / elapsedMs) / callsPerMs,
    memoryMb: sum(({ memoryMb }) => memoryMb),
  }
}

/** Client and server process of one subject. */
class Pair implements AsyncDisposable {
  readonly subject: Subject
  readonly client: Child
  readonly #server: Child | undefined
  /** Where the client takes HTTP requests. */
  readonly httpPort: number

  private constructor(subject: Subject, client: Child, server: Child | undefined, httpPort: number) {
    this.subject = subject
    this.client = client
    this.#server = server
    this.httpPort = httpPort
  }

  static async start(subject: Subject, natsUrl: string): Promise<Pair> {
    await using begun = new AsyncDisposableStack()
    // One word of equal length for all, since it travels with every message.
    const service = `auth${Math.max(0, ALL_SUBJECTS.indexOf(subject as SubjectName))}`
    const begin = (role: 'client' | 'server') =>
      begun.use(new Child(`${role} of ${subject}`, roleFile(role), [subject, natsUrl, service]))
    const server = subject === 'baseline' ? undefined : begin('server')
    const client = begin('client')
    const [httpPort] = await Promise.all([client.ask<number>('ready'), server?.ask('ready')])
    begun.move()
    return new Pair(subject, client, server, httpPort)
  }

  /** The work of both since the last mark, the client's first. */
  mark(): Promise<[client: Window, ...server: Window[]]> {
    const server = this.#server ? [this.#server.ask<Window>('mark')] : []
    return Promise.all([this.client.ask<Window>('mark'), ...server])
  }

  /** @throws Error unless the server has answered exactly as many calls as the client has got right answers to */
  async reconcile(): Promise<void> {
    if (!this.#server) return
    for (let attempts = 0; ; attempts++) {
      const [right, answered] = await Promise.all([this.client.ask<number>('total'), this.#server.ask<number>('total')])
      if (right === answered) return
      // Calls for HTTP requests whose connection is closed may still be on their way.
      if (attempts === 100)
        throw new Error(`${this.subject}: ${answered} calls were answered, ${right} right answers were received`)
      await sleep(20)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.client[Symbol.asyncDispose](), this.#server?.[Symbol.asyncDispose]()])
  }
}
