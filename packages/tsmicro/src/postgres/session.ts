import { AsyncLocalStorage } from 'node:async_hooks'
import { AbortedTransactionError } from 'kysely'
import type { PoolClient, QueryResult } from 'pg'
import { DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { type Ending, endingOf } from './ending.ts'
import { hasSqlState, isSerializationFailure, isStatementEnded, translate } from './errors.ts'
import type { PreparedStatements } from './prepared.ts'
import { requestCancel } from './wire.ts'

const BEGIN = /^\s*(?:begin|start\s+transaction)\b/i
const END = /^\s*(?:commit|end|rollback|abort)\s*;?\s*$/i
const ROLLBACK = /^\s*(?:rollback|abort)\b/i
const COMMIT = /^\s*(?:commit|end)\b/i
const READS = /^\s*(?:select|with)\b/i
const WRITES = /\b(?:insert|update|delete|merge)\b/i

export const begins = (sql: string) => BEGIN.test(sql)

/** Ends the whole transaction, not only a part of it. */
export const ends = (sql: string) => END.test(sql)

/** Undoes the transaction or a part of it. */
export const undoes = (sql: string) => ROLLBACK.test(sql)

export const commits = (sql: string) => COMMIT.test(sql)

/** Certainly changes no row. In doubt it does not count as a read: a column named like a command is enough. */
export const reads = (sql: string) => READS.test(sql) && !WRITES.test(sql)

/** The signal of the transaction that is about to begin. */
export const transactionSignal = new AsyncLocalStorage<AbortSignal | undefined>()

export interface SessionOptions {
  readonly currentSignal: (() => AbortSignal | Ending | undefined) | undefined
  /** Longest run of a statement, if the session has no such limit because a pooler is in between. */
  readonly limitMs: number | undefined
  readonly prepared: PreparedStatements
}

/** How long to wait for the server to end a statement after it was asked to. */
const CANCEL_LIMIT_MS = 1000

/**
 * A connection of the pool that translates failures and cancels statements that nobody waits for: reads outside transactions by
 * the current signal, statements in a transaction by the signal of the transaction. A change without such a signal is
 * completed: only the code that makes it knows whether it is wanted without its caller.
 */
export class Session {
  readonly #client: PoolClient
  readonly #options: SessionOptions
  /** Why the connection can no longer be used. Without this, a ROLLBACK would wait for its own timeout. */
  #broken: unknown
  #inTransaction = false
  /** Why the transaction can only be rolled back, even if the error was caught. */
  #failure: unknown
  #ownSignal: AbortSignal | undefined
  #cancelling: Promise<boolean> | undefined

  constructor(client: PoolClient, options: SessionOptions) {
    this.#client = client
    this.#options = options
  }

  async query(sql: string, values?: readonly unknown[]): Promise<QueryResult> {
    if (this.#cancelling) await this.#absorbCancel()
    if (this.#broken !== undefined) throw this.#broken
    const ending = this.#endingOf(sql)
    // It was not sent, so it is certainly not done.
    ending?.throwIfEnded()
    try {
      const result = await this.#runPrepared(sql, values, ending)
      const cause = this.#failure
      if (undoes(sql)) this.#failure = undefined
      if (ends(sql)) this.#leaveTransaction()
      // Kysely would say the same, but not why.
      if (cause !== undefined && commits(sql) && result.command === 'ROLLBACK')
        throw new AbortedTransactionError({ cause })
      return result
    } catch (error) {
      if (error === ending?.reason || error instanceof AbortedTransactionError) throw error
      // A single statement is a transaction too, which lost to another one.
      if (!this.#inTransaction && isSerializationFailure(error)) {
        throw new SERVICE_UNAVAILABLE(undefined, { cause: error, retryAfterSeconds: 1 })
      }
      const translated = translate(error)
      if (this.#inTransaction) this.#failure ??= translated
      // After a timeout on the server the connection is usable; a statement that we gave up on is still running there.
      if (translated !== error && !hasSqlState(error)) this.#broken = translated
      throw translated
    }
  }

  release(destroy?: boolean): void {
    this.#leaveTransaction()
    if (!this.#cancelling) this.#client.release(destroy || this.#broken !== undefined)
    else void this.#absorbCancel().then(() => this.release(destroy))
  }

  #endingOf(sql: string): Ending | undefined {
    if (begins(sql)) {
      this.#inTransaction = true
      this.#ownSignal = transactionSignal.getStore()
    }
    const { currentSignal } = this.#options
    const wanted = this.#inTransaction ? !undoes(sql) : reads(sql)
    if (!wanted) return undefined
    const signal = this.#inTransaction ? this.#ownSignal : currentSignal?.()
    return signal && endingOf(signal)
  }

  async #runPrepared(sql: string, values?: readonly unknown[], ending?: Ending): Promise<QueryResult> {
    const { prepared } = this.#options
    const name = values && values.length > 0 ? prepared.nameOf(sql) : undefined
    try {
      return await this.#run(sql, values, ending, name)
    } catch (error) {
      // After a failure, a transaction can only be ended.
      if (name === undefined || !prepared.learn(sql, error) || this.#inTransaction) throw error
      ending?.throwIfEnded()
      return this.#run(sql, values, ending)
    }
  }

  async #run(
    sql: string,
    values: readonly unknown[] | undefined,
    ending?: Ending,
    name?: string,
  ): Promise<QueryResult> {
    const { limitMs } = this.#options
    if (limitMs !== undefined && begins(sql)) {
      // In one message, which saves a round trip.
      const both: unknown = await this.#client.query(`${sql}; set local statement_timeout = ${limitMs}`)
      return Array.isArray(both) ? both[0] : (both as QueryResult)
    }
    const running =
      name === undefined
        ? this.#client.query(sql, values as unknown[])
        : this.#client.query({ name, text: sql, values: values as unknown[] })
    // A cancelled COMMIT could be done here, but unknown to a standby.
    if (ending && !commits(sql)) return this.#untilEnded(running, ending, this.#inTransaction ? undefined : limitMs)
    return limitMs === undefined || this.#inTransaction ? running : this.#untilEnded(running, undefined, limitMs)
  }

  #leaveTransaction(): void {
    this.#inTransaction = false
    this.#failure = undefined
    this.#ownSignal = undefined
  }

  /**
   * Settles like the statement, even if the cancellation comes too late; otherwise rejects with the reason for the
   * cancellation.
   */
  #untilEnded(
    running: Promise<QueryResult>,
    ending: Ending | undefined,
    limitMs: number | undefined,
  ): Promise<QueryResult> {
    // Promise.race would cost some 10 µs more per read, of 60 in total.
    return new Promise((resolve, reject) => {
      let why: unknown
      let timer = limitMs === undefined ? undefined : setTimeout(() => cancel(new DEADLINE_EXCEEDED()), limitMs)
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
        forget?.()
      }
      const forget = ending?.onEnd(cancel)
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
   * A cancel request may reach the session after its statement has ended, and would then hit the next one. So after the server
   * has passed it on, the session runs a statement that it may hit.
   */
  async #absorbCancel(): Promise<void> {
    const passedOn = await this.#cancelling
    this.#cancelling = undefined
    if (this.#broken !== undefined) return
    try {
      if (!passedOn) throw new Error('PostgreSQL did not accept the request to cancel a statement')
      await this.#client.query({ text: 'select 1', query_timeout: CANCEL_LIMIT_MS } as { text: string })
    } catch (error) {
      if (!hasSqlState(error)) this.#broken = translate(error)
    }
  }
}
