import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Client } from './client.ts'
import { CommandError, fail } from './errors.ts'

/** How long a command works before it lets others run, in milliseconds. */
const sliceMs = 8
/** The longest work on one document, in milliseconds. No other command is answered meanwhile. */
const unitMs = 1000
/** The number of small steps (comparisons, operators) between two looks at the clock while working on one document. */
const stepsPerLook = 4096
/** The most array elements and fields that expressions may create for one document. */
const mostGrown = 2_500_000

const expired = (): CommandError => new CommandError('MaxTimeMSExpired', 'operation exceeded time limit')

let running: Pace | undefined
let steps = stepsPerLook
let grown = 0

/**
 * Counts the small steps of the work on one document. Every loop whose length depends on the client calls it.
 * @throws CommandError if the command's time is up, or if this document alone takes too long
 */
export function step(count = 1): void {
  steps -= count
  if (steps > 0) return
  steps = stepsPerLook
  running?.look()
}

/** Counts the array elements and fields that are created for one document. @throws CommandError above the limit */
export function grow(count: number): void {
  step(count)
  grown += count
  if (grown > mostGrown) fail('the expressions of a single document make too much', 'ExceededMemoryLimit')
}

/** Limits how long a command may run, and says when it has to let others run. */
export class Pace {
  #client: Client
  #end: number
  #left = 0
  #sliceEnd = performance.now() + sliceMs
  #unitEnd = 0
  #unitCpu: number | undefined

  /** @param maxTimeMs 0 for no limit */
  constructor(client: Client, maxTimeMs = 0) {
    this.#client = client
    this.#end = maxTimeMs > 0 ? performance.now() + maxTimeMs : Number.POSITIVE_INFINITY
  }

  /**
   * Begins the work on the next document. If it returns true, `await pause()` has to come first.
   * @throws CommandError MaxTimeMSExpired
   */
  tick(): boolean {
    const now = performance.now()
    if (now > this.#end) throw expired()
    running = this
    grown = 0
    this.#unitEnd = now + unitMs
    this.#unitCpu = undefined
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
    this.tick()
  }

  /** Stops the clock between two batches of a cursor. */
  rest(): void {
    this.#left = this.#end - performance.now()
  }

  /** Starts the clock again for the next batch, for the client that asks for it. */
  resume(client: Client): void {
    const now = performance.now()
    this.#client = client
    this.#end = now + this.#left
    this.#sliceEnd = now + sliceMs
  }

  /** Checks the clock while working on one document. Only CPU time counts against the document: the process may have been stopped. */
  look(): void {
    const now = performance.now()
    if (now > this.#end) throw expired()
    if (now < this.#unitEnd) return
    const { user, system } = process.cpuUsage()
    const cpu = (user + system) / 1000
    if (this.#unitCpu !== undefined && cpu - this.#unitCpu >= unitMs / 4)
      fail('a single document takes too long: the command is too complex', 'ExceededTimeLimit')
    this.#unitCpu ??= cpu
    this.#unitEnd = now + unitMs / 2
  }
}

/** Applies `work` to each item and lets other commands run from time to time. */
export async function* paced<T, R>(items: AsyncIterable<T>, pace: Pace, work: (item: T) => R): AsyncGenerator<R> {
  for await (const item of items) {
    if (pace.tick()) await pace.pause()
    yield work(item)
  }
}

/** A list as an asynchronous iterable. */
export async function* listed<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}
