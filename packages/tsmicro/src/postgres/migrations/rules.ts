import { MigrationError } from './error.ts'
import type { MigrationFile } from './files.ts'
import type { Statement } from './statements.ts'

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
