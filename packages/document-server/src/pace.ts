import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Client } from './client.ts'
import { fail } from './errors.ts'

/** How long a command works before it lets others run, in milliseconds. */
const sliceMs = 8
/** The longest work on one document, in milliseconds. No other command is answered meanwhile. */
const documentMs = 1000
/** The number of small steps (comparisons, operators) between two checks of the time while working on one document. */
const stepsPerCheck = 4096
/** The most array elements and fields that expressions may create for one document. */
const mostCreated = 2_500_000

let running: Pace | undefined
let stepsLeft = stepsPerCheck
let created = 0

/**
 * Counts the small steps of the work on one document. Every loop whose length depends on the client calls it.
 * @throws CommandError if the command's time is up, or if this document alone takes too long
 */
export function countSteps(count = 1): void {
  stepsLeft -= count
  if (stepsLeft > 0) return
  stepsLeft = stepsPerCheck
  running?.checkTime()
}

/** Counts the array elements and fields that are created for one document. @throws CommandError above the limit */
export function countCreated(count: number): void {
  countSteps(count)
  created += count
  if (created > mostCreated) fail('the expressions create too much for a single document', 'ExceededMemoryLimit')
}

/** Limits how long a command may run, and says when it has to let others run. */
export class Pace {
  #client: Client
  #end: number
  #left = 0
  #sliceEnd = performance.now() + sliceMs
  #documentEnd = 0
  #documentCpu: number | undefined

  /** @param maxTimeMs 0 for no limit */
  constructor(client: Client, maxTimeMs = 0) {
    this.#client = client
    this.#end = maxTimeMs > 0 ? performance.now() + maxTimeMs : Number.POSITIVE_INFINITY
  }

  /** Begins the work on the next document. @throws CommandError MaxTimeMSExpired */
  startDocument(now = performance.now()): void {
    if (now > this.#end) fail('operation exceeded time limit', 'MaxTimeMSExpired')
    running = this
    created = 0
    this.#documentEnd = now + documentMs
    this.#documentCpu = undefined
  }

  /** Begins the work on the next document, and says whether `await pause()` has to come first. @throws CommandError MaxTimeMSExpired */
  needsPause(): boolean {
    const now = performance.now()
    this.startDocument(now)
    return now > this.#sliceEnd
  }

  /** Lets everything else run that is waiting. @throws CommandError if nobody waits for the result any longer */
  async pause(): Promise<void> {
    running = undefined
    await nextTurn()
    const { gone } = this.#client
    if (gone === 'left') fail('the client went away', 'ClientDisconnect')
    if (gone === 'closing') fail('the server is shutting down', 'InterruptedAtShutdown')
    this.#sliceEnd = performance.now() + sliceMs
    this.startDocument()
  }

  /** Stops the clock between two batches of a cursor. */
  stopClock(): void {
    this.#left = this.#end - performance.now()
  }

  /** Starts the clock again for the next batch, for the client that asks for it. */
  startClock(client: Client): void {
    const now = performance.now()
    this.#client = client
    this.#end = now + this.#left
    this.#sliceEnd = now + sliceMs
  }

  /** Checks the clock while working on one document. Only CPU time counts against the document: the process may have been stopped. */
  checkTime(): void {
    const now = performance.now()
    if (now > this.#end) fail('operation exceeded time limit', 'MaxTimeMSExpired')
    if (now < this.#documentEnd) return
    const { user, system } = process.cpuUsage()
    const cpu = (user + system) / 1000
    if (this.#documentCpu !== undefined && cpu - this.#documentCpu >= documentMs / 4)
      fail('a single document takes too long: the command is too complex', 'ExceededTimeLimit')
    this.#documentCpu ??= cpu
    this.#documentEnd = now + documentMs / 2
  }
}

/** Applies `work` to each item and lets other commands run from time to time. */
export async function* paced<T, R>(items: AsyncIterable<T>, pace: Pace, work: (item: T) => R): AsyncGenerator<R> {
  for await (const item of items) {
    if (pace.needsPause()) await pace.pause()
    yield work(item)
  }
}

/** A list as an asynchronous iterable. */
export async function* listed<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}
