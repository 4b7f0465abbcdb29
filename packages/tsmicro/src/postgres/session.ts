import { AsyncLocalStorage } from 'node:async_hooks'
import type { PoolClient, QueryResult } from 'pg'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { requestCancel } from './wire.ts'
import { hasSqlState, isSerializationFailure, isStatementEnded, translate } from './errors.ts'
import type { PreparedStatements } from './prepared.ts'

/** What ends the transaction that is about to begin. */
export const transactionSignal = new AsyncLocalStorage<AbortSignal | undefined>()

export interface SessionOptions {
  readonly currentSignal: (() => AbortSignal | undefined) | undefined
  /** Longest run of a statement, where the session itself has no such limit because a pooler is in between. */
  readonly limitMs: number | undefined
  readonly prepared: PreparedStatements
}

/** A server that has not ended a statement so long after it was asked to, in milliseconds, will not. */
const CANCEL_LIMIT_MS = 1000

/**
 * A connection of the pool that translates its failures, and ends statements that nobody waits for any more: reads outside
 * of transactions by the current signal, and what is in a transaction by the transaction's own. A change that was
 * begun without one is finished: whether it is wanted without its caller, only the code that makes it can tell.
 */
export class Session {
  readonly #client: PoolClient
  readonly #options: SessionOptions
  /** Why nothing more can be had from it: without this a ROLLBACK would wait for its own time-out. */
  #broken: unknown
  #inTransaction = false
  #ownSignal: AbortSignal | undefined
  #cancelling: Promise<boolean> | undefined

  constructor(client: PoolClient, options: SessionOptions) {
    this.#client = client
    this.#options = options
  }

  async query(sql: string, values?: readonly unknown[]): Promise<QueryResult> {
    if (this.#cancelling) await this.#calmDown()
    if (this.#broken !== undefined) throw this.#broken
    const signal = this.#signalOf(sql)
    // not sent, so it is surely not done
    signal?.throwIfAborted()
    try {
      const result = await this.#runPrepared(sql, values, signal)
      if (ends(sql)) this.#leaveTransaction()
      return result
    } catch (error) {
      if (error === signal?.reason) throw error
      // Alone, it is a transaction of its own that lost to another.
      if (!this.#inTransaction && isSerializationFailure(error)) {
        throw new SERVICE_UNAVAILABLE(undefined, { cause: error, retryAfterSeconds: 1 })
      }
      const translated = translate(error)
      // a statement that timed out on the server leaves a good connection; one that we gave up on is still running there
      if (translated !== error && !hasSqlState(error)) this.#broken = translated
      throw translated
    }
  }

  release(destroy?: boolean): void {
    this.#leaveTransaction()
    if (!this.#cancelling) this.#client.release(destroy || this.#broken !== undefined)
    else void this.#calmDown().then(() => this.release(destroy))
  }

  #signalOf(sql: string): AbortSignal | undefined {
    if (begins(sql)) {
      this.#inTransaction = true
      this.#ownSignal = transactionSignal.getStore()
    }
    if (this.#inTransaction) return undoes(sql) ? undefined : this.#ownSignal
    const { currentSignal } = this.#options
    return currentSignal !== undefined && reads(sql) ? currentSignal() : undefined
  }

  async #runPrepared(sql: string, values?: readonly unknown[], signal?: AbortSignal): Promise<QueryResult> {
    const { prepared } = this.#options
    const name = values && values.length > 0 ? prepared.nameOf(sql) : undefined
    try {
      return await this.#run(sql, values, signal, name)
    } catch (error) {
      // In a transaction nothing can follow a failure but its end.
      if (name === undefined || !prepared.learn(sql, error) || this.#inTransaction) throw error
      signal?.throwIfAborted()
      return this.#run(sql, values, signal)
    }
  }

  async #run(
    sql: string,
    values: readonly unknown[] | undefined,
    signal?: AbortSignal,
    name?: string,
  ): Promise<QueryResult> {
    const { limitMs } = this.#options
    if (limitMs !== undefined && begins(sql)) {
      // In one message, so that it costs no further way to the server and back.
      const both: unknown = await this.#client.query(`${sql}; set local statement_timeout = ${limitMs}`)
      return Array.isArray(both) ? both[0] : (both as QueryResult)
    }
    const text = sql
    const running =
      name === undefined
        ? this.#client.query(text, values as unknown[])
        : this.#client.query({ name, text, values: values as unknown[] })
    // Ending a COMMIT could leave it done here and unknown to a standby.
    if (signal && !commits(sql)) return this.#untilEnded(running, signal, this.#inTransaction ? undefined : limitMs)
    return limitMs === undefined || this.#inTransaction ? running : this.#untilEnded(running, undefined, limitMs)
  }

  #leaveTransaction(): void {
    this.#inTransaction = false
    this.#ownSignal = undefined
  }

  /** The statement's own outcome, also when the end comes too late to change it; otherwise why it was ended. */
  #untilEnded(
    running: Promise<QueryResult>,
    signal: AbortSignal | undefined,
    limitMs: number | undefined,
  ): Promise<QueryResult> {
    // By hand: with Promise.race a read cost some 10 µs more, of 60 in all.
    return new Promise((resolve, reject) => {
      let why: unknown
      let timer = limitMs === undefined ? undefined : setTimeout(() => cancel(new DEADLINE_EXCEEDED()), limitMs)
      const abort = () => cancel(signal?.reason)
      const cancel = (reason: unknown) => {
        settle()
        why = reason
        this.#cancelling = requestCancel(this.#client, CANCEL_LIMIT_MS)
        timer = setTimeout(() => {
          this.#broken = reason
          reject(reason)
        }, CANCEL_LIMIT_MS)
      }
      const settle = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
      }
      signal?.addEventListener('abort', abort)
      running.then(
        result => {
          settle()
          resolve(result)
        },
        error => {
          settle()
          reject(why !== undefined && isStatementEnded(error) ? why : error)
        },
      )
    })
  }

  /**
   * A request to end a statement may reach the session when that has ended by itself, and would hit the next one. So after
   * the server has passed it on, the session is asked for something that it may hit.
   */
  async #calmDown(): Promise<void> {
    const passedOn = await this.#cancelling
    this.#cancelling = undefined
    if (this.#broken !== undefined) return
    try {
      if (!passedOn) throw new Error('PostgreSQL did not take the request to end a statement')
      await this.#client.query({ text: 'select 1', query_timeout: CANCEL_LIMIT_MS } as { text: string })
    } catch (error) {
      if (!hasSqlState(error)) this.#broken = translate(error)
    }
  }
}

const BEGIN = /^\s*(?:begin|start\s+transaction)\b/i
const END = /^\s*(?:commit|end|rollback|abort)\s*;?\s*$/i
const ROLLBACK = /^\s*(?:rollback|abort)\b/i
const COMMIT = /^\s*(?:commit|end)\b/i
const READS = /^\s*(?:select|with)\b/i
const WRITES = /\b(?:insert|update|delete|merge)\b/i

export const begins = (sql: string) => BEGIN.test(sql)

/** Ends the transaction, and not only a part of it. */
export const ends = (sql: string) => END.test(sql)

/** Undoes the transaction or a part of it. */
export const undoes = (sql: string) => ROLLBACK.test(sql)

export const commits = (sql: string) => COMMIT.test(sql)

/** Surely changes no row. In doubt it is no read: a column with the name of a command is enough. */
export const reads = (sql: string) => READS.test(sql) && !WRITES.test(sql)
