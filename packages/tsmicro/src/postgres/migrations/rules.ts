import { MigrationError } from './error.ts'
import type { MigrationFile } from './files.ts'
import type { Statement } from './statements.ts'

const CONTROL = new Set(['begin', 'start', 'commit', 'end', 'abort', 'rollback'])

/**
 * Refuses what would end the transaction that a migration runs in: what came before would stay when the rest fails. Savepoints
 * may be set and gone back to.
 */
export function checkRules({ name, statements }: Pick<MigrationFile, 'name' | 'statements'>): void {
  for (const { words, line, text } of statements) {
    if (!controls(words)) continue
    const said = words
      .slice(0, words[0] === 'prepare' || words[0] === 'start' ? 2 : 1)
      .join(' ')
      .toUpperCase()
    throw new MigrationError(
      'transaction',
      name,
      `has ${said} in line ${line}: a migration is one transaction already, so leave it out, or make several files of it`,
      { line, statement: text },
    )
  }
}

function controls(words: Statement['words']): boolean {
  const [first = '', ...rest] = words
  if (first === 'prepare') return rest[0] === 'transaction'
  if (first === 'rollback' && (rest[0] === 'to' || rest[1] === 'to')) return false
  return CONTROL.has(first)
}
