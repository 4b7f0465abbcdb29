import type { EventEmitter } from 'node:events'
import type { PoolClient } from 'pg'
import { rootMessage } from '../../errors/index.ts'
import { MigrationError } from './error.ts'
import { failure } from './failure.ts'
import type { MigrationFile } from './files.ts'
import type { Query } from './query.ts'
import { recordDone, recordFailed } from './record.ts'
import type { History } from './table.ts'

export interface Task {
  readonly file: MigrationFile
  readonly history: History
  readonly service: string | undefined
}

/** The rest of the turn is not what the migration made of its session: the search path, its role, its settings. */
const RESET = 'reset session authorization; reset role; reset all'

/** Runs a migration in the transaction that is open, and ends that. */
export async function runWithin(client: PoolClient, query: Query, task: Task): Promise<void> {
  const { file } = task
  const before = await transactionOf(query)
  const completed = countCompleted(client)
  try {
    await query(file.sql)
  } catch (error) {
    const failed = failure(error, file, completed.stop())
    if (isStatementError(error)) await settled(client)
    // A statement that fails leaves a transaction that has failed, unless that had ended before.
    if (idle(client)) await tellHalfDone(query, task, rootMessage(failed))
    throw failed
  }
  completed.stop()
  if (idle(client) || (await transactionOf(query)) !== before) {
    const message = 'ended the transaction it ran in: its changes are kept, and nothing says that all of them were made'
    const failed = new MigrationError('transaction', file.name, message)
    await tellHalfDone(query, task, rootMessage(failed))
    throw failed
  }
  await query(RESET)
  await recordDone(query, task)
  await query('commit')
}

async function tellHalfDone(query: Query, task: Task, message: string): Promise<void> {
  await query('rollback')
  await query(RESET)
  await recordFailed(query, task, message)
}

async function transactionOf(query: Query): Promise<string | undefined> {
  return (await query<{ id: string }>('select txid_current()::text as id')).rows[0]?.id
}

/** What pg has and its types do not tell. */
interface Wired {
  readonly connection: EventEmitter
  readonly readyForQuery: boolean
  getTransactionStatus(): string | null
}

const idle = (client: PoolClient) => (client as unknown as Wired).getTransactionStatus() === 'I'

/** One after which the server goes on with the session, and tells its state. */
const isStatementError = (error: unknown) => error instanceof Error && 'severity' in error && error.severity === 'ERROR'

/** pg rejects at the error, and the state of the transaction comes behind it, perhaps in another packet. */
async function settled(client: PoolClient): Promise<void> {
  const { connection, readyForQuery } = client as unknown as Wired
  if (readyForQuery) return
  await new Promise<void>(resolve => {
    connection.once('readyForQuery', () => resolve())
    connection.once('end', () => resolve())
    // Should the connection have ended already.
    setTimeout(resolve, 5000).unref()
  })
}

/** The server tells the end of each statement of a text, by which the one that failed is known. */
function countCompleted(client: PoolClient): { stop(): number } {
  const { connection } = client as unknown as Wired
  let count = 0
  const add = () => count++
  connection.on('commandComplete', add)
  return {
    stop: () => {
      connection.off('commandComplete', add)
      return count
    },
  }
}
