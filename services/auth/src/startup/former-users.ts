import { type Dependency, inBackground, type Log } from 'tsmicro'
import type { UserRepository } from '../api/user/repository.ts'
import type { RunInTransaction } from '../database.ts'

const SOME = 100
/** Between two parts, so that a stop need not wait for all. */
const PAUSE_MS = 20
/** Instances of the former version may run beside this one and change users. */
const REPEAT_MS = 60_000

/**
 * Announces the users that were not announced with their changes, a part at a time: see `UserRepository.announceSome`. The service is ready
 * meanwhile. What a stop leaves is announced after the next start.
 */
export class FormerUsers implements Dependency {
  readonly name = 'announcements of users'
  readonly #announceSome: () => Promise<boolean>
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  #announcing = Promise.resolve()
  #closed = false

  constructor(users: UserRepository, transaction: RunInTransaction, log: Log) {
    this.#announceSome = () => transaction(change => users.announceSome(SOME, change))
    this.#log = log
  }

  /** Once the tables exist. */
  start(): void {
    const announce = async () => {
      let more = false
      const some = async () => {
        more = await this.#announceSome()
      }
      await inBackground(some, { name: 'announcing users', log: this.#log })
      if (!this.#closed) this.#timer = setTimeout(() => this.start(), more ? PAUSE_MS : REPEAT_MS).unref()
    }
    this.#announcing = announce()
  }

  async connect(): Promise<void> {}

  async check(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#announcing
  }
}
