import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { answers } from './answers.ts'
import type { DataDir } from './data-dir.ts'
import { InfraError, PortTakenError, ServerStartError } from './errors.ts'
import { preferPort } from './ports.ts'
import { type Child, endChild, type Launch, spawnChild, startOutcome } from './process/child.ts'
import { signalTree } from './process/tree.ts'
import type { Server, Source, StartOptions } from './server.ts'

/** What differs between kinds of servers. */
export interface Plan {
  readonly name: string
  readonly source: Source
  /** Returns the command for this port. Called before every start, so it may also clean up after a crash. */
  launch(port: number): Promise<Omit<Launch, 'onLine'>>
  url(port: number): string
  /** What makes it answer: see {@link answers}. */
  readonly greeting: Buffer
  /** Matches the line that says it accepts connections. */
  readonly ready: RegExp
  /** Matches the output of a failed start whose reason is temporary. The start is repeated until the time is up. */
  readonly temporary?: RegExp
  readonly stopSignal: NodeJS.Signals
  readonly data: DataDir
  /** Where to write the pid, for servers that do not write it themselves: see `awaitPredecessor`. */
  readonly pidFile?: string
}

const STOP_GRACE_MS = 10_000
/** The words of NATS, PostgreSQL and Redis, and of the document server. */
const PORT_TAKEN = /address already in use|EADDRINUSE|is taken by another program/i

export class ManagedServer implements Server {
  readonly name: string
  readonly source: Source
  readonly #plan: Plan
  readonly #options: StartOptions
  #port: number | undefined
  #child: Child | undefined
  #isDataDeleted = false
  #queue: Promise<void> = Promise.resolve()

  constructor(plan: Plan, options: StartOptions) {
    this.name = plan.name
    this.source = plan.source
    this.#plan = plan
    this.#options = options
  }

  get url(): string {
    if (this.#port === undefined) throw new InfraError(`${this.name} was never started`)
    return this.#plan.url(this.#port)
  }

  get pid(): number | undefined {
    return this.#child?.hasExited === false ? this.#child.pid : undefined
  }

  /** Finds a port and starts the server. If another program takes the port before the server does, another port is tried. */
  start(): Promise<void> {
    return this.#oneAtATime(async () => {
      const { port: exact, preferredPort } = this.#options
      for (let attempt = 1; ; attempt++) {
        const port = exact ?? (await preferPort(attempt === 1 ? preferredPort : undefined))
        try {
          await this.#run(port)
          this.#port = port
          return
        } catch (error) {
          if (error instanceof PortTakenError && exact === undefined && attempt < 10) continue
          await this.#plan.data.cleanUp()
          throw error
        }
      }
    })
  }

  stop(): Promise<void> {
    return this.#oneAtATime(async () => {
      await this.#end()
      this.#isDataDeleted = this.#plan.data.ephemeral
      await this.#plan.data.cleanUp()
    })
  }

  kill(signal: NodeJS.Signals): void {
    const { pid } = this
    if (pid === undefined) throw new InfraError(`${this.name} does not run`)
    signalTree(pid, signal)
  }

  restart(): Promise<void> {
    return this.#oneAtATime(async () => {
      const port = this.#port
      if (port === undefined) throw new InfraError(`${this.name} was never started`)
      if (this.#isDataDeleted)
        throw new InfraError(`${this.name} was ephemeral: stop has deleted its data; use kill or restart alone`)
      await this.#end()
      await this.#run(port)
    })
  }

  async answers(timeoutMs = 5000): Promise<boolean> {
    if (this.#port === undefined || this.pid === undefined) return false
    return answers({ port: this.#port, greeting: this.#plan.greeting }, timeoutMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #oneAtATime(work: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => {})
    return result
  }

  async #end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child !== undefined) await endChild(child, this.#plan.stopSignal, STOP_GRACE_MS)
  }

  /** Starts the server on one port, and again as long as it fails for a temporary reason. */
  async #run(port: number): Promise<void> {
    const timeoutMs = this.#options.timeoutMs ?? 30_000
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const child = await this.#spawn(port, deadline)
      if (child !== undefined) {
        this.#child = child
        child.exited.then(exit => {
          if (this.#child === child) this.#options.onExit?.(exit)
        })
        return
      }
      await sleep(50)
    }
  }

  async #spawn(port: number, deadline: number): Promise<Child | undefined> {
    const { name, temporary, pidFile, ready } = this.#plan
    const launch = await this.#plan.launch(port)
    const isReady = Promise.withResolvers<void>()
    const child = await spawnChild({
      ...launch,
      onLine: (line, stream) => {
        if (ready.test(line)) isReady.resolve()
        this.#options.onLine?.(line, stream)
      },
    })
    try {
      if (pidFile !== undefined) await writeFile(pidFile, `${child.pid}\n`)
    } catch (error) {
      // For example on a full disk. Nobody would know of the server otherwise, and its port would stay taken.
      await endChild(child, 'SIGKILL', 1000)
      throw error
    }
    const outcome = await startOutcome(child, isReady.promise, deadline - Date.now())
    if (outcome === 'ready') return child
    await endChild(child, 'SIGKILL', 1000)
    if (outcome === 'late') throw new ServerStartError(`${name} was not ready in time`, child.output)
    const text = child.output.join('\n')
    if (temporary?.test(text) && Date.now() < deadline) return undefined
    if (PORT_TAKEN.test(text)) throw new PortTakenError(`${name} cannot use port ${port}: it is taken`)
    const { code, signal } = await child.exited
    throw new ServerStartError(`${name} ended while starting (${signal ?? code})`, child.output)
  }
}
