import type { Transaction, TransactionBuilder } from 'kysely'

/** @param committed false: rolled back, or the server did not say */
type Ended = (committed: boolean) => void

interface State {
  readonly listeners: Ended[]
  /** Why it must not be committed. */
  refusal?: Error
}

/** The transactions that we run ourselves. */
const states = new WeakMap<object, State>()

/** Runs a function in a transaction, and tells those who called {@link whenEnded} in it. */
export async function executeTransaction<DB, T>(
  builder: TransactionBuilder<DB>,
  run: (transaction: Transaction<DB>) => Promise<T>,
): Promise<T> {
  const state: State = { listeners: [] }
  let committed = false
  try {
    const result = await builder.execute(async transaction => {
      states.set(transaction, state)
      const returned = await run(transaction)
      if (state.refusal) throw state.refusal
      return returned
    })
    committed = true
    return result
  } finally {
    for (const listener of state.listeners) listener(committed)
  }
}

/** Calls the listener when the transaction has ended. Returns false for a transaction that was begun in another way: it never does. */
export function whenEnded(transaction: object, listener: Ended): boolean {
  const state = states.get(transaction)
  state?.listeners.push(listener)
  return state !== undefined
}

/** Throws the error, and again when the function of the transaction has returned: it must not be committed, even if somebody catches this. */
export function refuse(transaction: object, error: Error): never {
  const state = states.get(transaction)
  if (state) state.refusal ??= error
  throw error
}
