import { rootMessage } from '../../errors/index.ts'
import { codeOf, hasSqlState, translateConnect } from '../errors.ts'
import { failure } from './failure.ts'
import type { MigrationFile } from './files.ts'
import type { Migrator } from './migrate.ts'
import { limitsOff, type Query, queryOf } from './query.ts'
import { forget, recordBegun, recordEnd, recordFailed } from './record.ts'
import type { History } from './table.ts'
import type { Task } from './within.ts'

/** Refused before anything was done: not understood, not permitted, not possible. */
const NOTHING_DONE = /^(?:42|0A|25)/

/**
 * Runs a migration's statements each on its own, over a connection of its own, while the given one holds the lock in a
 * transaction that has looked at nothing. False when nothing is left to do.
 */
export async function runAlone(
  { open, service, ownSession }: Migrator,
  locked: Query,
  history: History,
  next: (query: Query) => Promise<MigrationFile | undefined>,
): Promise<boolean> {
  const client = open()
  try {
    await client.connect().catch(error => {
      throw translateConnect(error)
    })
    const query = queryOf(client)
    if (ownSession) await limitsOff(query, 'session')
    const file = await next(query)
    if (file) await run(query, locked, { file, history, service })
    await locked('commit')
    return file !== undefined
  } finally {
    await client.end()
  }
}

async function run(query: Query, locked: Query, task: Task): Promise<void> {
  const { file } = task
  await recordBegun(query, task)
  for (const [index, statement] of file.statements.entries()) {
    try {
      await query(statement.text)
    } catch (error) {
      const failed = failure(error, file, index, statement)
      // By the other connection, as this one may be gone, and ending the lock's transaction: it may not be left open for that.
      const nothingDone = index === 0 && hasSqlState(error) && NOTHING_DONE.test(codeOf(error as Error))
      const told = nothingDone ? forget(locked, task) : recordFailed(locked, task, rootMessage(failed))
      // When that one is gone as well, it stays told that it was begun.
      await told.then(() => locked('commit')).catch(() => undefined)
      throw failed
    }
  }
  await recordEnd(query, task)
}
