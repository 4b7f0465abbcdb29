import { setTimeout as sleep } from 'node:timers/promises'
import type { IsolationLevel, Kysely, Transaction } from 'kysely'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { isSerializationFailure } from './errors.ts'
import { isStalePlan } from './prepared.ts'
import { transactionSignal } from './session.ts'

export interface TransactionOptions {
  /** Default: the server's, `read committed`. */
  readonly isolation?: IsolationLevel
  /**
   * How often the whole function is run again after a serialization failure or a deadlock. Default 0. With more, the
   * function must do nothing outside the database that can't be done twice.
   */
  readonly retries?: number
  /**
   * Undoes the transaction when it aborts before COMMIT is sent: what is running on the server is cancelled, nothing further is
   * sent, and the promise is rejected with the signal's reason. Default: it runs to its end, whoever is gone.
   */
  readonly signal?: AbortSignal
}

/** @throws {SERVICE_UNAVAILABLE} also when the last attempt was undone in favour of another transaction */
export async function runTransaction<DB, T>(
  db: Kysely<DB>,
  run: (transaction: Transaction<DB>) => Promise<T>,
  { isolation, retries = 0, signal }: TransactionOptions = {},
): Promise<T> {
  const builder = isolation === undefined ? db.transaction() : db.transaction().setIsolationLevel(isolation)
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await transactionSignal.run(signal, () => builder.execute(run))
    } catch (error) {
      if (!isSerializationFailure(error) && !isStalePlan(error)) throw error
      if (attempt >= retries) throw new SERVICE_UNAVAILABLE(undefined, { cause: error })
      // by chance, so that the same two do not meet again
      await sleep(Math.random() * 10 * 2 ** Math.min(attempt, 5), undefined, { ...(signal && { signal }) })
    }
  }
}
