import type { Kysely, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

/** Where a query runs: on its own, or as part of a transaction. */
export type Connection = Kysely<Tables> | Transaction<Tables>

/** Runs work in one transaction. */
export type RunInTransaction = <T>(work: (transaction: Transaction<Tables>) => Promise<T>) => Promise<T>
