import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { CommandError } from '../errors.ts'

/** `full`: writes survive power loss (one fsync per group of commands). `process`: they survive the end of the process. */
export type Durability = 'full' | 'process'

type Row = Record<string, unknown>

/** Another process, or another server in this process, uses the directory. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError'
  constructor(dir: string) {
    super(`the directory ${dir} is in use by another document server: stop it or choose another directory`)
  }
}

/**
 * Creates the file for its owner only, as SQLite gives its other files the same mode. An existing file is not opened: closing it
 * would release the lock that another server in this process holds on it.
 */
function keepPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch {
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
  }
}

/**
 * The SQLite file. Commands run one after the other, each to its end. All that arrive in one turn of the event loop share a
 * transaction, which is committed before any of their replies is sent: one fsync serves the whole group.
 */
export class Database {
  readonly #sqlite: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #waiting: ((failure?: Error) => void)[] = []
  #open = false
  #onRollback: () => void = () => undefined
  /** Whether the state in memory no longer matches the file, which could not be read. */
  #stale = false
  /** Counts the changes, so that a command can tell whether there were any meanwhile. */
  version = 0
  /** The number of failed commits, and the error of the last one. */
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
      // EXCLUSIVE holds SQLite's file lock for the life of the process. The lock ends with the process, however it ends.
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

  /** Sets the listener that reads the file again after a failed commit or command. */
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

  /** Runs schema changes and drops the prepared statements. */
  exec(sql: string): void {
    this.#statements.clear()
    this.#sqlite.exec(sql)
  }

  /** Reads the file again if that has failed before. Called before each command. @throws Error if it fails again */
  settle(): void {
    if (!this.#stale) return
    this.#onRollback()
    this.#stale = false
  }

  /** Runs a writing command and undoes all of it if it throws. */
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
      this.#undo('ROLLBACK TO command; RELEASE command')
      throw error
    }
  }

  /** A failing disk may fail here as well, which leaves the state stale. The next command will notice. */
  #undo(sql: string): void {
    this.#stale = true
    try {
      // If the disk is full, SQLite ends the whole transaction by itself. Then the commit reports it to every waiting client.
      if (this.#sqlite.isTransaction) this.#sqlite.exec(sql)
      this.settle()
    } catch {}
  }

  /** Calls back once everything written so far is safe (immediately if nothing is pending), or with the failure. */
  whenSafe(callback: (failure?: Error) => void): void {
    if (this.#open) this.#waiting.push(callback)
    else callback()
  }

  /** Commits the pending changes and calls back those who wait for it. */
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
      this.#undo('ROLLBACK')
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

/** SQLite's primary result codes: https://sqlite.org/rescode.html */
const sqlite = { readOnly: 8, ioError: 10, full: 13, cannotOpen: 14 } as const

/** SQLite ended the whole transaction by itself, as it does if the disk is full or failing. */
class TransactionEndedError extends Error {
  override readonly name = 'TransactionEndedError'
  constructor() {
    super('the storage ended the transaction')
  }
}

/** MongoDB's OutOfDiskSpace if the disk is full, failing or read-only. Undefined for any other error. */
export function storageError(error: unknown): CommandError | undefined {
  if (error instanceof TransactionEndedError)
    return new CommandError('OutOfDiskSpace', `nothing was stored: ${error.message}; is the disk full?`)
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  const code = error.errcode & 0xff
  if (!Object.values<number>(sqlite).includes(code)) return undefined
  const reason = code === sqlite.full ? 'the disk is full' : error.message
  return new CommandError('OutOfDiskSpace', `nothing was stored: ${reason}`)
}
