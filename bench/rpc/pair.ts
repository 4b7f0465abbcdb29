import { setTimeout as sleep } from 'node:timers/promises'
import type { Window } from '../meter.ts'
import { Child } from '../process.ts'
import { SUBJECTS, type SubjectName } from './subjects.ts'

export const roleFile = (role: 'client' | 'server' | 'http-generator') => new URL(`./roles/${role}.ts`, import.meta.url)

/** `baseline` makes no call: what the HTTP server needs by itself. */
export type Subject = SubjectName | 'baseline'

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

/** Milliseconds before and during a measurement. */
interface Times {
  readonly warmUpMs: number
  readonly measuredMs: number
  readonly signal: AbortSignal
}

/** Runs this many callers at once. Only what follows the warm-up counts. */
export async function measureClosed(pair: Pair, inFlight: number, times: Times): Promise<Sample> {
  await pair.client.ask('start', inFlight)
  const working = await measured(() => pair.mark(), times)
  await pair.client.ask('stop')
  return sampleOf(working[0], working)
}

/** Enough that a request seldom waits for one, but few enough not to bury a server that falls behind. */
const CONNECTIONS = 128
const CALIBRATING_CONNECTIONS = 64

/** Sends independent HTTP requests at a rate; without one, as many as 64 connections can. The CPU time includes the HTTP server's. */
export async function measureHttp(
  pair: Pair,
  generator: Child,
  perSecond: number | undefined,
  times: Times,
): Promise<Sample> {
  const connections = perSecond === undefined ? CALIBRATING_CONNECTIONS : CONNECTIONS
  await generator.ask('start', { port: pair.httpPort, connections, perSecond })
  const mark = () => Promise.all([generator.ask<Window>('mark'), pair.mark()])
  const [asking, working] = await measured(mark, times)
  await generator.ask('stop')
  return sampleOf(asking, working)
}

async function measured<T>(mark: () => Promise<T>, { warmUpMs, measuredMs, signal }: Times): Promise<T> {
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
export class Pair implements AsyncDisposable {
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
    const service = `auth${Math.max(0, SUBJECTS.indexOf(subject as SubjectName))}`
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
