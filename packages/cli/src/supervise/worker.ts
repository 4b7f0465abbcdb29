import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, endChild, type ServerExit, signalTree, spawnChild, starvedMs } from '@tsmicro/infra'
import { CliError } from '../errors.ts'
import { Backoff } from './backoff.ts'
import type { Disk } from './disk.ts'
import type { Watched } from './liveness.ts'

/** A program to keep running. */
export interface WorkerSpec {
  readonly name: string
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Whether it is ready. Never rejects. */
  readonly probe: () => Promise<boolean>
  /** Whether it reacts at all within this time. Never rejects. */
  readonly answers: (withinMs: number) => Promise<boolean>
  readonly readyTimeoutMs: number
  readonly onLine: (line: string) => void
  readonly say: (text: string) => void
  readonly disk: Disk
}

/** A worker ended, or was not ready in time, at its first start. `output` contains its last lines. */
export class WorkerStartError extends CliError {
  readonly worker: string
  readonly output: readonly string[]

  constructor(worker: string, what: string, output: readonly string[]) {
    super(`${worker} ${what}`)
    this.worker = worker
    this.output = output
  }
}

const POLL_MS = 20

/** Describes how a process ended. */
export function describeExit({ code, signal }: ServerExit): string {
  return signal === null ? `exit code ${code}` : signal
}

/** A service or the gateway: started, watched, restarted with growing delays, and stopped. */
export class Worker implements Watched {
  readonly name: string
  /** Called just before it is started again, after a crash or by {@link replace}. */
  onRestart: () => void = () => {}
  readonly #spec: WorkerSpec
  readonly #backoff = new Backoff()
  readonly #stopping = new AbortController()
  /** The latest child. Pending while it is being spawned, so that a stop in between misses nothing. */
  #child: Promise<Child> | undefined
  #running: Child | undefined
  /** The child, from the time it is ready until it ends or is stopped. */
  #ready: Child | undefined
  #keptRunning: Promise<void> = Promise.resolve()
  #replacement: PromiseWithResolvers<void> | undefined

  constructor(spec: WorkerSpec) {
    this.name = spec.name
    this.#spec = spec
  }

  /** Resolves when it is ready for the first time. From then on it is restarted whenever it ends. @throws WorkerStartError */
  start(): Promise<void> {
    return this.#spec.disk.withRoom(this.#stopping.signal, () => this.#start())
  }

  get pid(): number | undefined {
    return this.#ready?.hasExited === false ? this.#ready.pid : undefined
  }

  answers(withinMs: number): Promise<boolean> {
    return this.#spec.answers(withinMs)
  }

  /** Ends it immediately. It is started again as after a crash. */
  end(): void {
    if (this.pid !== undefined) signalTree(this.pid, 'SIGKILL')
  }

  async #start(): Promise<void> {
    const startedAt = Date.now()
    // The child of an earlier attempt, which was not ready in time.
    if (this.#child !== undefined) await this.#end(1000)
    if (this.#stopping.signal.aborted) throw new CliError(`${this.name} is being stopped`)
    const child = await this.#spawn()
    const outcome = await this.#awaitReady(child)
    if (outcome === 'ready') {
      this.#ready = child
      this.#keptRunning = this.#keepRunning(child, startedAt)
      return
    }
    throw await this.#startError(child, outcome)
  }

  /** Sends SIGTERM, and after `graceMs` SIGKILL with a warning. Resolves when nothing of it runs. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    this.#replacement?.reject(new CliError(`${this.name} is being stopped`))
    await this.#end(graceMs)
    await this.#keptRunning
  }

  /** Ends it as {@link stop} does and starts it again. Resolves when the new one is ready. @throws CliError if it does not get ready */
  async replace(graceMs: number): Promise<void> {
    if (this.#stopping.signal.aborted) throw new CliError(`${this.name} is being stopped`)
    if (this.#replacement !== undefined) throw new CliError(`${this.name} is already being replaced`)
    const replacement = Promise.withResolvers<void>()
    replacement.promise.catch(() => {})
    this.#replacement = replacement
    await this.#end(graceMs)
    await replacement.promise
  }

  /** Ends it for good, immediately. */
  kill(): void {
    this.#stopping.abort()
    if (this.#running?.hasExited === false) signalTree(this.#running.pid, 'SIGKILL')
  }

  async #end(graceMs: number): Promise<void> {
    this.#ready = undefined
    const child = await this.#child?.catch(() => undefined)
    if (child !== undefined && !(await endChild(child, 'SIGTERM', graceMs)))
      this.#spec.say(`${this.name} did not end within ${Math.round(graceMs / 1000)} s and was killed`)
  }

  #spawn(): Promise<Child> {
    const { name, command, cwd, env, onLine } = this.#spec
    // KILL: nothing would watch a worker drain after its supervisor has died, and one that hangs would stay.
    const child = spawnChild({ name, command, cwd, env, deathSignal: 'KILL', onLine })
    this.#child = child
    child.then(
      running => {
        this.#running = running
      },
      () => {},
    )
    return child
  }

  async #startError(child: Child, outcome: 'exited' | 'late'): Promise<WorkerStartError> {
    const what =
      outcome === 'late'
        ? `was not ready after ${Math.round(this.#spec.readyTimeoutMs / 1000)} s`
        : `ended while starting (${describeExit(await child.exited)})`
    return new WorkerStartError(this.name, what, child.output)
  }

  async #awaitReady(child: Child): Promise<'ready' | 'exited' | 'late'> {
    const startedAt = Date.now()
    while (!child.hasExited) {
      if ((await this.#spec.probe()) && !child.hasExited) return 'ready'
      // On a busy machine, a child may get hardly any of the time that passes.
      if (Date.now() - startedAt - starvedMs(child.pid) > this.#spec.readyTimeoutMs) return 'late'
      await Promise.race([sleep(POLL_MS), child.exited])
    }
    return 'exited'
  }

  async #keepRunning(first: Child, firstStart: number): Promise<void> {
    const { say, disk } = this.#spec
    const { signal } = this.#stopping
    let child: Child | undefined = first
    let startedAt = firstStart
    let why = ''
    for (;;) {
      if (child !== undefined) {
        why = describeExit(await child.exited)
        this.#ready = undefined
      }
      if (signal.aborted) return
      if (this.#replacement === undefined) {
        const delay = this.#backoff.next(Date.now() - startedAt)
        if (!(await disk.isReason(child?.output))) say(`${this.name} crashed (${why}), restarting in ${delay / 1000} s`)
        await sleep(delay, undefined, { signal }).catch(() => {})
        if (signal.aborted) return
      }
      startedAt = Date.now()
      this.onRestart()
      try {
        child = await this.#spawn()
        await this.#settleStart(child)
      } catch (error) {
        // For example because the machine has no process or file left. The next attempt may succeed.
        child = undefined
        why = error instanceof Error ? error.message : String(error)
        this.#replacement?.reject(new CliError(why))
        this.#replacement = undefined
      }
    }
  }

  /** Waits until a new child is ready, and settles the replacement that waits for it. */
  async #settleStart(child: Child): Promise<void> {
    const outcome = await this.#awaitReady(child)
    const replacement = this.#replacement
    this.#replacement = undefined
    if (outcome === 'late') await endChild(child, 'SIGKILL', 1000)
    if (outcome !== 'ready') {
      replacement?.reject(await this.#startError(child, outcome))
      return
    }
    this.#ready = child
    await this.#spec.disk.checkRoom()
    if (replacement === undefined) this.#spec.say(`${this.name} is up again`)
    else replacement.resolve()
  }
}
