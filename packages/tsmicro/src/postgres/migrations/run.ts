import type { EventEmitter } from 'node:events'
import type { PoolClient } from 'pg'
import { rootMessage } from '../../errors/index.ts'
import { MigrationError } from './error.ts'
import type { MigrationFile } from './files.ts'
import type { Query } from './history.ts'
import { recordDone, recordFailed } from './history.ts'
import type { History } from './history.ts'
import { codeOf, hasSqlState, translateConnect } from '../errors.ts'
import type { Migrator } from './migrate.ts'
import { limitsOff, type Query, queryOf } from './history.ts'
import { forget, recordBegun, recordEnd, recordFailed } from './history.ts'
import { SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { codeOf, translate } from '../errors.ts'
import { lineAt, type Statement } from './statements.ts'

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

const MOST_SHOWN = 100

/** By SQLSTATE: what runs in no transaction, and what must be committed first. */
const ADVICE: Readonly<Record<string, string>> = {
  '25001': 'begin the file with the line -- tsmicro: no transaction, and put nothing else into it',
  '55P04': 'put what uses it into the next file',
}

/**
 * What the server said about a migration, with file, line and statement. A server that cannot be used now is
 * `SERVICE_UNAVAILABLE`, with this as its cause.
 * @param done how many statements were completed before
 * @param sent what was sent, where that was not the whole file
 */
export function failure(
  error: unknown,
  { name, sql, statements }: MigrationFile,
  done: number,
  sent?: Statement,
): Error {
  const offset = offsetOf(error, sent ?? { text: sql, start: 0 })
  const statement = offset === undefined ? statements[done] : statements.findLast(({ start }) => start <= offset)
  const line = offset === undefined ? statement?.line : lineAt(sql, offset)
  const failed = new MigrationError(
    'failed',
    name,
    `failed${place(line)}: ${why(error, statement)}${shown(statement)}`,
    {
      cause: error,
      line,
      statement: statement?.text,
    },
  )
  return translate(error) === error ? failed : new SERVICE_UNAVAILABLE(undefined, { cause: failed })
}

const place = (line: number | undefined) => (line === undefined ? '' : ` in line ${line}`)

function why(error: unknown, statement: Statement | undefined): string {
  if (!(error instanceof Error)) return String(error)
  // SET TRANSACTION has the same state when it comes too late.
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

/** The server counts characters from 1, and a string here has two units for some. */
function offsetOf(error: unknown, { text, start }: Pick<Statement, 'text' | 'start'>): number | undefined {
  const position = error instanceof Error && 'position' in error ? Number(error.position) : Number.NaN
  if (!Number.isInteger(position)) return undefined
  return start + [...text].slice(0, position - 1).join('').length
}
