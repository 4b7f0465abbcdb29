import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { TransactionEndedError } from './storage-error.ts'

/** `full`: survives power loss (one fsync per group of commands). `process`: survives the death of the process. */
export type Durability = 'full' | 'process'

type Row = Record<string, unknown>

/** Another live process (or another server of this one) holds the directory. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError'
  constructor(dir: string) {
    super(`the directory ${dir} is in use by another document server: stop it or choose another directory`)
  }
}

/**
 * SQLite gives its other files the mode of this one, which would be readable by all. A file that is there is not opened: to close it
 * would give up the lock that another server of this process has on it.
 */
function keepPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch {
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
  }
}

/**
 * The SQLite file. Commands run to their end one after the other; all that arrive in one turn of the event loop share
 * a transaction, which is committed before any of their replies leaves: an fsync serves the whole group.
 */
export class Database {
  readonly #sqlite: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #waiting: ((failure?: Error) => void)[] = []
  #open = false
  #onRollback: () => void = () => undefined
  /** Memory is out of step with the file, because it could not be read. */
  #stale = false
  /** Counts the changes made, so that a command can tell whether there were any since. */
  version = 0
  /** Commits that failed, and how the last of them did. */
  failures = 0
  lastFailure: Error | undefined

  private constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite
  }

  /** @throws DirectoryInUseError */
  static open(dir: string, durability: Durability): Database {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const file = join(dir, 'documents.sqlite')
    keepPrivate(file)
    const sqlite = new DatabaseSync(file, { timeout: 0 })
    try {
      // EXCLUSIVE keeps SQLite's file lock for the life of the process and gives it up however the process ends.
      sqlite.exec('PRAGMA locking_mode = EXCLUSIVE')
      sqlite.exec('PRAGMA journal_mode = WAL')
      sqlite.exec(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
      sqlite.exec('BEGIN EXCLUSIVE; COMMIT')
    } catch (error) {
      sqlite.close()
      if (error instanceof Error && /locked|busy/i.test(error.message)) throw new DirectoryInUseError(dir)
      throw error
    }
    return new Database(sqlite)
  }

  /** Called after a failed commit or command, when memory has to be brought back in step with the file. */
  onRollback(listener: () => void): void {
    this.#onRollback = listener
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values)
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values)
  }

  run(sql: string, ...values: SQLInputValue[]): { lastInsertRowid: number | bigint } {
    return this.#prepare(sql).run(...values)
  }

  /** Schema changes; statements prepared before them are forgotten. */
  exec(sql: string): void {
    this.#statements.clear()
    this.#sqlite.exec(sql)
  }

  /** Called before a command: brings memory in step with the file where that has failed. @throws Error when it fails again */
  settle(): void {
    if (!this.#stale) return
    this.#onRollback()
    this.#stale = false
  }

  /** Runs a writing command: all of it is kept or, when it throws, none. */
  write<T>(command: () => T): T {
    if (!this.#open) {
      this.#sqlite.exec('BEGIN IMMEDIATE')
      this.#open = true
      setImmediate(() => this.commit())
    }
    if (!this.#sqlite.isTransaction) throw new TransactionEndedError()
    this.version++
    this.#sqlite.exec('SAVEPOINT command')
    try {
      const result = command()
      this.#sqlite.exec('RELEASE command')
      return result
    } catch (error) {
      this.#undo()
      throw error
    }
  }

  #undo(): void {
    // A full disk makes SQLite end the whole transaction by itself; then the commit answers every waiting client.
    this.#reload(() => {
      if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK TO command; RELEASE command')
    })
  }

  /** A disk that fails may fail here as well; that is for the next command to notice. */
  #reload(undo: () => void): void {
    this.#stale = true
    try {
      undo()
      this.settle()
    } catch {
      // still stale
    }
  }

  /** Calls back when everything written so far is safe (at once when nothing is pending), or with the failure. */
  whenSafe(callback: (failure?: Error) => void): void {
    if (this.#open) this.#waiting.push(callback)
    else callback()
  }

  /** Commits what is pending and answers those who wait for it. */
  commit(): void {
    if (!this.#open) return
    this.#open = false
    const waiting = this.#waiting
    this.#waiting = []
    const failure = this.#tryCommit()
    for (const callback of waiting) callback(failure)
  }

  #tryCommit(): Error | undefined {
    try {
      if (!this.#sqlite.isTransaction) throw new TransactionEndedError()
      this.#sqlite.exec('COMMIT')
      return undefined
    } catch (error) {
      this.#reload(() => {
        if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK')
      })
      this.failures++
      this.lastFailure = error instanceof Error ? error : new Error(String(error))
      return this.lastFailure
    }
  }

  close(): void {
    this.commit()
    this.#statements.clear()
    this.#sqlite.close()
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#sqlite.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
