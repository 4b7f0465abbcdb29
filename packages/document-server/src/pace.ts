import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Client } from './client.ts'
import { CommandError } from './errors.ts'

/** Milliseconds that a command works before it lets others have a turn. */
const sliceMs = 8
/** Milliseconds of work on one document, beyond which a command is ended: nobody else is answered meanwhile. */
const unitMs = 1000
/** Small steps (comparisons, operators) between two looks at the clock within a document. */
const stepsPerLook = 4096
/** Array elements and fields that the expressions of one document may make. */
const mostGrown = 2_500_000

const expired = (): CommandError => new CommandError('MaxTimeMSExpired', 'operation exceeded time limit')

let running: Pace | undefined
let steps = stepsPerLook
let grown = 0

/**
 * Counts the small steps of the work on one document. Called in every loop whose length a client decides.
 * @throws CommandError when the command's time is up, or when this document alone takes too long
 */
export function step(count = 1): void {
  steps -= count
  if (steps > 0) return
  steps = stepsPerLook
  running?.look()
}

/** Counts what is made in memory for one document. @throws CommandError when it becomes too much */
export function grow(count: number): void {
  step(count)
  grown += count
  if (grown > mostGrown)
    throw new CommandError('ExceededMemoryLimit', 'the expressions of a single document make too much')
}

/** How long a command may go on, and when it has to let others have a turn. */
export class Pace {
  #client: Client
  #end: number
  #left = 0
  #sliceEnd = performance.now() + sliceMs
  #unitEnd = 0
  #unitCpu: number | undefined
  /** Without pauses nothing comes between what a command reads and what it writes. */
  pausing = true

  /** @param maxTimeMs 0 for no limit */
  constructor(client: Client, maxTimeMs = 0) {
    this.#client = client
    this.#end = maxTimeMs > 0 ? performance.now() + maxTimeMs : Number.POSITIVE_INFINITY
  }

  /**
   * Begins the work on one more document. When it gives true, `await pause()` has to come before that work.
   * @throws CommandError MaxTimeMSExpired
   */
  tick(): boolean {
    const now = performance.now()
    if (now > this.#end) throw expired()
    running = this
    grown = 0
    this.#unitEnd = now + unitMs
    this.#unitCpu = undefined
    return this.pausing && now > this.#sliceEnd
  }

  /** Lets everything else that waits have a turn. @throws CommandError when nobody is waiting for the result */
  async pause(): Promise<void> {
    running = undefined
    await nextTurn()
    const { gone } = this.#client
    if (gone === 'left') throw new CommandError('ClientDisconnect', 'the client went away')
    if (gone === 'closing') throw new CommandError('InterruptedAtShutdown', 'the server is shutting down')
    this.#sliceEnd = performance.now() + sliceMs
    this.tick()
  }

  /** Between two batches of a cursor the time stands still. */
  rest(): void {
    this.#left = this.#end - performance.now()
  }

  /** Goes on with the next batch, for whoever asks for it. */
  resume(client: Client): void {
    const now = performance.now()
    this.#client = client
    this.#end = now + this.#left
    this.#sliceEnd = now + sliceMs
  }

  /** A look at the clock within a document. It has to be the work that takes the time: a process that was stopped has not worked. */
  look(): void {
    const now = performance.now()
    if (now > this.#end) throw expired()
    if (now < this.#unitEnd) return
    const { user, system } = process.cpuUsage()
    const cpu = (user + system) / 1000
    if (this.#unitCpu !== undefined && cpu - this.#unitCpu >= unitMs / 4)
      throw new CommandError('ExceededTimeLimit', 'a single document takes too long: the command is too complex')
    this.#unitCpu ??= cpu
    this.#unitEnd = now + unitMs / 2
  }
}

/** What passes through, document by document, with a turn for others now and then. */
export async function* paced<T, R>(items: AsyncIterable<T>, pace: Pace, work: (item: T) => R): AsyncGenerator<R> {
  for await (const item of items) {
    if (pace.tick()) await pace.pause()
    yield work(item)
  }
}

/** A list as a stage takes it. */
export async function* listed<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}
