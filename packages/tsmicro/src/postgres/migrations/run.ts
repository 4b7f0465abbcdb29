import type { EventEmitter } from 'node:events'
import type { Client, PoolClient } from 'pg'
import { rootMessage, SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { codeOf, hasSqlState, translate, translateConnect } from '../errors.ts'
import { MigrationError } from './error.ts'
import type { MigrationFile } from './files.ts'
import { forget, limitsOff, type Query, queryOf, record, recordEnd, recordFailed, type Task } from './history.ts'
import { lineAt, type Statement } from './statements.ts'

/** Undoes what the migration changed in the session: the search path, the role, the settings. */
const RESET = 'reset session authorization; reset role; reset all'

/** Runs a migration in the open transaction, and commits it. */
export async function runWithin(client: PoolClient, query: Query, task: Task): Promise<void> {
  const { file } = task
  const before = await transactionOf(query)
  const completed = countCompleted(client)
  try {
    await query(file.sql)
  } catch (error) {
    const failed = failure(error, file, completed.stop())
    if (isStatementError(error)) await settled(client)
    // A failed statement leaves a failed transaction, unless the transaction had ended before.
    if (idle(client)) await recordHalfDone(query, task, rootMessage(failed))
    throw failed
  }
  completed.stop()
  if (idle(client) || (await transactionOf(query)) !== before) {
    const message = 'ended its own transaction: its changes are kept, but may be incomplete'
    const failed = new MigrationError('transaction', file.name, message)
    await recordHalfDone(query, task, rootMessage(failed))
    throw failed
  }
  await query(RESET)
  await record(query, task, 'applied')
  await query('commit')
}

async function recordHalfDone(query: Query, task: Task, message: string): Promise<void> {
  await query('rollback')
  await query(RESET)
  await recordFailed(query, task, message)
}

async function transactionOf(query: Query): Promise<string | undefined> {
  return (await query<{ id: string }>('select txid_current()::text as id')).rows[0]?.id
}

/** What pg has, but its types do not declare. */
interface Wired {
  readonly connection: EventEmitter
  readonly readyForQuery: boolean
  getTransactionStatus(): string | null
}

const idle = (client: PoolClient) => (client as unknown as Wired).getTransactionStatus() === 'I'

/** An error after which the server keeps the session and reports its state. */
const isStatementError = (error: unknown) => error instanceof Error && 'severity' in error && error.severity === 'ERROR'

/** pg rejects at the error, but the state of the transaction comes later, perhaps in another packet. */
async function settled(client: PoolClient): Promise<void> {
  const { connection, readyForQuery } = client as unknown as Wired
  if (readyForQuery) return
  await new Promise<void>(resolve => {
    connection.once('readyForQuery', () => resolve())
    connection.once('end', () => resolve())
    // The connection may have ended already.
    setTimeout(resolve, 5000).unref()
  })
}

/** Counts the statements that the server has completed, which tells the one that failed. */
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

/** SQLSTATE of statements that were refused before they did anything: not understood, not permitted, not possible. */
const NOTHING_DONE = /^(?:42|0A|25)/

/**
 * Runs each of a migration's statements on its own, over another connection, while the given one holds the lock in a
 * transaction that has not read anything.
 *
 * @param open makes the connection
 * @param ownSession false behind a pooler: then no setting may outlive a transaction
 * @param next the migration to run, as seen by the new connection
 * @returns false if there is nothing left to do
 */
export async function runAlone(
  { open, ownSession }: { readonly open: () => Client; readonly ownSession: boolean },
  locked: Query,
  next: (query: Query) => Promise<Task | undefined>,
): Promise<boolean> {
  const client = open()
  try {
    await client.connect().catch(error => {
      throw translateConnect(error)
    })
    const query = queryOf(client)
    if (ownSession) await limitsOff(query, 'session')
    const task = await next(query)
    if (task) await runStatements(query, locked, task)
    await locked('commit')
    return task !== undefined
  } finally {
    await client.end()
  }
}

async function runStatements(query: Query, locked: Query, task: Task): Promise<void> {
  const { file } = task
  await record(query, task, 'begun')
  for (const [index, statement] of file.statements.entries()) {
    try {
      await query(statement.text)
    } catch (error) {
      const failed = failure(error, file, index, statement)
      // Over the other connection, as this one may be gone. That commits the lock's transaction.
      const nothingDone = index === 0 && hasSqlState(error) && NOTHING_DONE.test(codeOf(error as Error))
      const recorded = nothingDone ? forget(locked, task) : recordFailed(locked, task, rootMessage(failed))
      // If that one is gone too, the migration remains recorded as begun.
      await recorded.then(() => locked('commit')).catch(() => undefined)
      throw failed
    }
  }
  await recordEnd(query, task)
}

const MOST_SHOWN = 100

/** By SQLSTATE: statements that can't run in a transaction, and values that must be committed before they are used. */
const ADVICE: Readonly<Record<string, string>> = {
  '25001': 'put it alone into a file that begins with the line -- tsmicro: no transaction',
  '55P04': 'use it in the next file',
}

/**
 * The server's error about a migration, with file, line and statement. If the server cannot be used now, it is the cause of a
 * `SERVICE_UNAVAILABLE`.
 * @param done how many statements were completed before
 * @param sent the statement that was sent, if it was not the whole file
 */
function failure(error: unknown, { name, sql, statements }: MigrationFile, done: number, sent?: Statement): Error {
  const offset = offsetOf(error, sent ?? { text: sql, start: 0 })
  const statement = offset === undefined ? statements[done] : statements.findLast(({ start }) => start <= offset)
  const line = offset === undefined ? statement?.line : lineAt(sql, offset)
  const place = line === undefined ? '' : ` in line ${line}`
  const message = `failed${place}: ${why(error, statement)}${shown(statement)}`
  const failed = new MigrationError('failed', name, message, { cause: error, line, statement: statement?.text })
  return translate(error) === error ? failed : new SERVICE_UNAVAILABLE(undefined, { cause: failed })
}

function why(error: unknown, statement: Statement | undefined): string {
  if (!(error instanceof Error)) return String(error)
  // A SET TRANSACTION that comes too late has the same state.
  const found = statement?.words[0] === 'set' ? undefined : ADVICE[codeOf(error)]
  const advice = found ? ` (${found})` : ''
  const hint = 'hint' in error && typeof error.hint === 'string' ? ` (${error.hint})` : ''
  return `${error.message}${hint}${advice}`
}

function shown(statement: Statement | undefined): string {
  if (!statement) return ''
  const text = statement.text.replaceAll(/\s+/g, ' ')
  return `, in: ${text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text}`
}

/** The server counts characters from 1; a string here has two units for some characters. */
function offsetOf(error: unknown, { text, start }: Pick<Statement, 'text' | 'start'>): number | undefined {
  const position = error instanceof Error && 'position' in error ? Number(error.position) : Number.NaN
  if (!Number.isInteger(position)) return undefined
  return start + [...text].slice(0, position - 1).join('').length
}
