import { setTimeout as sleep } from 'node:timers/promises'
import type { Server, ServerExit } from '@tsmicro/infra'
import { Backoff } from './backoff.ts'
import { describeExit } from './worker.ts'

/** Starts a server that tells its crashes. */
export type StartServer = (onExit: (exit: ServerExit) => void) => Promise<Server>

/** An embedded server that is restarted, on the same port and data, whenever it crashes. */
export class InfraPart {
  readonly name: string
  readonly #say: (text: string) => void
  readonly #backoff = new Backoff()
  readonly #stopping = new AbortController()
  readonly #server: Promise<Server>
  #running: Server | undefined
  #startedAt = Date.now()
  #mending: Promise<void> = Promise.resolve()

  constructor(name: string, start: StartServer, say: (text: string) => void) {
    this.name = name
    this.#say = say
    this.#server = start(exit => {
      this.#mending = this.#mend(describeExit(exit))
    })
    this.#server.then(
      server => {
        this.#running = server
      },
      () => {},
    )
  }

  /** The server, when it is ready. Rejects when it cannot be started. */
  ready(): Promise<Server> {
    return this.#server
  }

  /** Stops it cleanly; one that is still starting is stopped when it has started. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const server = await this.#server.catch(() => undefined)
    await this.#mending
    await server?.stop()
  }

  /** Ends it at once, as a crash would: its data is made for that. */
  kill(): void {
    this.#stopping.abort()
    if (this.#running?.pid !== undefined) this.#running.kill('SIGKILL')
  }

  async #mend(how: string): Promise<void> {
    const { signal } = this.#stopping
    for (let reason = how; ; ) {
      if (signal.aborted) return
      const delay = this.#backoff.next(Date.now() - this.#startedAt)
      this.#say(`${this.name} crashed (${reason}), restarting in ${delay / 1000} s`)
      await sleep(delay, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      this.#startedAt = Date.now()
      try {
        await (await this.#server).restart()
        this.#say(`${this.name} is up again`)
        return
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error)
      }
    }
  }
}
