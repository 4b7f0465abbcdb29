import { SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { codeOf, translate } from '../errors.ts'
import { MigrationError } from './error.ts'
import type { MigrationFile } from './files.ts'
import { lineAt, type Statement } from './statements.ts'

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
