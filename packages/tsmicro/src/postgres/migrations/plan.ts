import { MigrationError } from './error.ts'
import type { MigrationFile } from './files.ts'
import type { AppliedMigration } from './history.ts'
import type { Statement } from './statements.ts'

/**
 * The next file to apply, or undefined if all are applied.
 * @param service the service that asks
 * @throws {MigrationError} if the files and the database have different histories
 */
export function nextMigration(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
  service: string | undefined,
): MigrationFile | undefined {
  const byNumber = new Map(files.map(file => [file.number, file]))
  for (const row of applied) {
    const file = byNumber.get(row.number)
    compare(row, file, service)
    byNumber.delete(row.number)
  }
  const pending = [...byNumber.values()].sort((a, b) => a.number - b.number)
  const [next] = pending
  const last = applied.at(-1)
  if (next !== undefined && last !== undefined && next.number < last.number) {
    throw new MigrationError(
      'out-of-order',
      next.name,
      `comes before ${last.name}, which was applied already: renumber it`,
    )
  }
  for (const file of pending) checkRules(file)
  return next
}

function compare(
  { name, checksum, service: owner }: AppliedMigration,
  file: MigrationFile | undefined,
  service: string | undefined,
): void {
  if (file?.checksum === checksum && file.name === name) return
  if (owner !== null && service !== undefined && owner !== service) {
    throw new MigrationError(
      'foreign',
      name,
      `was applied by the service "${owner}": this is its database, not that of "${service}". Give each service its own, check the URL`,
    )
  }
  if (file === undefined) {
    const perhaps = 'this is an older version of the service, or another service’s database (check the URL)'
    throw new MigrationError('missing', name, `was applied, but its file is no longer there: ${perhaps}`)
  }
  if (file.name !== name) {
    const perhaps = 'unless this is another service’s database (check the URL)'
    throw new MigrationError(
      'changed',
      name,
      `was applied, and now ${file.name} has its number: restore it, ${perhaps}`,
    )
  }
  throw new MigrationError('changed', name, 'was changed after it was applied: restore it and write a new one')
}

const CONTROL = new Set(['begin', 'start', 'commit', 'end', 'abort', 'rollback'])

const WITHIN = 'a migration already is a transaction: remove it, or split the file'
const ALONE = 'without a transaction every statement runs on its own: remove it'

/**
 * Refuses statements that would end the migration's transaction: the statements before would stay if the rest fails. Savepoints
 * are allowed. Also refuses what only psql understands, such as the commands that pg_dump writes.
 */
export function checkRules({
  name,
  statements,
  transaction,
}: Pick<MigrationFile, 'name' | 'statements' | 'transaction'>): void {
  for (const { words, line, text } of statements) {
    const at = { line, statement: text }
    const psql = psqlOnly(text)
    if (psql) throw new MigrationError('psql', name, `has ${psql[0]} in line ${line}: ${psql[1]}`, at)
    if (!controls(words)) continue
    const said = words
      .slice(0, words[0] === 'prepare' || words[0] === 'start' ? 2 : 1)
      .join(' ')
      .toUpperCase()
    throw new MigrationError('transaction', name, `has ${said} in line ${line}: ${transaction ? WITHIN : ALONE}`, at)
  }
}

/** The construct, and what to do instead. */
function psqlOnly(text: string): readonly [string, string] | undefined {
  const command = /^\\\S*/.exec(text)?.[0]
  if (command) return [command, 'this is a psql command, which the server does not know: remove it']
  if (!/^copy\b[^']*\bfrom\s+stdin\b/i.test(text)) return undefined
  return ['COPY … FROM STDIN', 'only psql can send its data: use INSERT (pg_dump --inserts)']
}

function controls(words: Statement['words']): boolean {
  const [first = '', ...rest] = words
  if (first === 'prepare') return rest[0] === 'transaction'
  if (first === 'rollback' && (rest[0] === 'to' || rest[1] === 'to')) return false
  return CONTROL.has(first)
}
