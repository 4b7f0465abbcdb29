import { setTimeout as sleep } from 'node:timers/promises'
import type { Server, ServerExit } from '@tsmicro/infra'
import { Backoff } from './backoff.ts'
import type { Disk } from './disk.ts'
import type { Watched } from './liveness.ts'
import { describeExit } from './worker.ts'

/** Starts a server that reports its crashes. */
export type StartServer = (onExit: (exit: ServerExit) => void) => Promise<Server>

export interface PartContext {
  readonly say: (text: string) => void
  readonly disk: Disk
  /** See {@link Watched}. */
  readonly patience?: number
}

/** An embedded server that is restarted on the same port and data whenever it crashes or hangs. */
export class InfraPart implements Watched {
  readonly name: string
  readonly patience: number
  readonly #say: (text: string) => void
  readonly #disk: Disk
  readonly #backoff = new Backoff()
  readonly #stopping = new AbortController()
  readonly #server: Promise<Server>
  #running: Server | undefined
  #startedAt = Date.now()
  #restarting: Promise<void> = Promise.resolve()

  constructor(name: string, start: StartServer, { say, disk, patience = 1 }: PartContext) {
    this.name = name
    this.patience = patience
    this.#say = say
    this.#disk = disk
    const { signal } = this.#stopping
    this.#server = disk.withRoom(signal, () =>
      start(exit => {
        this.#restarting = this.#restart(describeExit(exit))
      }),
    )
    this.#server.then(
      server => {
        this.#running = server
      },
      () => {},
    )
  }

  get pid(): number | undefined {
    return this.#stopping.signal.aborted ? undefined : this.#running?.pid
  }

  async answers(withinMs: number): Promise<boolean> {
    return (await this.#running?.answers(withinMs)) ?? false
  }

  /** Resolves when the server is ready. Rejects if it cannot be started. */
  ready(): Promise<Server> {
    return this.#server
  }

  /** Stops the server cleanly. One that is still starting is stopped once it has started. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const server = await this.#server.catch(() => undefined)
    await this.#restarting
    await server?.stop()
  }

  /** Ends the server immediately, as a crash would. Its data survives that. */
  end(): void {
    if (this.#running?.pid !== undefined) this.#running.kill('SIGKILL')
  }

  /** Ends the server for good. */
  kill(): void {
    this.#stopping.abort()
    this.end()
  }

  async #restart(how: string): Promise<void> {
    const { signal } = this.#stopping
    for (let reason: unknown = how; ; ) {
      if (signal.aborted) return
      const delay = this.#backoff.next(Date.now() - this.#startedAt)
      const text = reason instanceof Error ? reason.message : String(reason)
      // A full disk is reported only once.
      if (!(reason instanceof Error && (await this.#disk.isReason(reason))))
        this.#say(`${this.name} crashed (${text}), restarting in ${delay / 1000} s`)
      await sleep(delay, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      this.#startedAt = Date.now()
      try {
        await (await this.#server).restart()
        await this.#disk.checkRoom()
        this.#say(`${this.name} is up again`)
        return
      } catch (error) {
        reason = error
      }
    }
  }
}
