import { MigrationError } from './error.ts'
import type { MigrationFile } from './files.ts'
import type { Statement } from './statements.ts'

/** A row of the table `schema_migrations`. */
export interface AppliedMigration {
  readonly number: number
  readonly name: string
  readonly checksum: string
  /** Who applied it; null when that was not written down yet. */
  readonly service: string | null
  /** `begun` and `failed`: one without a transaction that did not come to its end. */
  readonly state: string
  readonly error: string | null
  readonly applied_at: Date
}

/**
 * The file that is to be applied next, or undefined when all are.
 * @param service who asks
 * @throws {MigrationError} when files and database tell different histories
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
    throw new MigrationError('out-of-order', next.name, `comes before ${last.name}, which was applied: renumber it`)
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
      `was applied by the service "${owner}": this is its database, and not that of "${service}". Give each service its own, see the URL`,
    )
  }
  if (file === undefined) {
    const perhaps = 'this is an older version of the service, or another one’s database (see the URL)'
    throw new MigrationError('missing', name, `was applied, but its file is no longer there: ${perhaps}`)
  }
  if (file.name !== name) {
    const perhaps = 'unless this is another service’s database (see the URL)'
    throw new MigrationError(
      'changed',
      name,
      `was applied, and now ${file.name} has its number: put it back, ${perhaps}`,
    )
  }
  throw new MigrationError('changed', name, 'was applied in another form: put it back and write a new one')
}

const CONTROL = new Set(['begin', 'start', 'commit', 'end', 'abort', 'rollback'])

const WITHIN = 'a migration is one transaction already, so leave it out, or make several files of it'
const ALONE = 'without a transaction its statements run each on its own, so leave it out'

/**
 * Refuses what would end the transaction that a migration runs in: what came before would stay when the rest fails. Savepoints
 * may be set and gone back to. Also refuses what only psql understands, as pg_dump writes it.
 */
export function checkRules({
  name,
  statements,
  transaction,
}: Pick<MigrationFile, 'name' | 'statements' | 'transaction'>): void {
  for (const { words, line, text } of statements) {
    const ofPsql = psqlOnly(text)
    if (ofPsql)
      throw new MigrationError('psql', name, `has ${ofPsql[0]} in line ${line}: ${ofPsql[1]}`, {
        line,
        statement: text,
      })
    if (!controls(words)) continue
    const said = words
      .slice(0, words[0] === 'prepare' || words[0] === 'start' ? 2 : 1)
      .join(' ')
      .toUpperCase()
    throw new MigrationError('transaction', name, `has ${said} in line ${line}: ${transaction ? WITHIN : ALONE}`, {
      line,
      statement: text,
    })
  }
}

/** What it is, and what to do instead. */
function psqlOnly(text: string): readonly [string, string] | undefined {
  const command = /^\\\S*/.exec(text)?.[0]
  if (command) return [command, 'that is a command of psql, which the server does not know: leave it out']
  if (!/^copy\b[^']*\bfrom\s+stdin\b/i.test(text)) return undefined
  return ['COPY … FROM STDIN', 'only psql has its data follow: use INSERT (pg_dump --inserts)']
}

function controls(words: Statement['words']): boolean {
  const [first = '', ...rest] = words
  if (first === 'prepare') return rest[0] === 'transaction'
  if (first === 'rollback' && (rest[0] === 'to' || rest[1] === 'to')) return false
  return CONTROL.has(first)
}
