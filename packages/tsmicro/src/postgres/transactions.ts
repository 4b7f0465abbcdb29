import type { Transaction, TransactionBuilder } from 'kysely'

/** @param committed false: rolled back, or the server did not say */
type Ended = (committed: boolean) => void

/** The transactions that we run ourselves, with those who wait for their ends. */
const waiting = new WeakMap<object, Ended[]>()

/** Runs a function in a transaction, and tells those who called {@link whenEnded} in it. */
export async function executeTransaction<DB, T>(
  builder: TransactionBuilder<DB>,
  run: (transaction: Transaction<DB>) => Promise<T>,
): Promise<T> {
  const listeners: Ended[] = []
  let committed = false
  try {
    const result = await builder.execute(transaction => {
      waiting.set(transaction, listeners)
      return run(transaction)
    })
    committed = true
    return result
  } finally {
    for (const listener of listeners) listener(committed)
  }
}

/** Calls the listener when the transaction has ended. Returns false for a transaction that was begun in another way: it never does. */
export function whenEnded(transaction: object, listener: Ended): boolean {
  const listeners = waiting.get(transaction)
  listeners?.push(listener)
  return listeners !== undefined
}
