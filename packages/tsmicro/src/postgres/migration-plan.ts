import { MigrationError } from './migration-error.ts'
import type { MigrationFile } from './migration-files.ts'

/** A row of the table `schema_migrations`. */
export interface AppliedMigration {
  readonly number: number
  readonly name: string
  readonly checksum: string
}

/**
 * The file that is to be applied next, or undefined when all are.
 * @throws {MigrationError} when files and database tell different histories
 */
export function nextMigration(
  files: readonly MigrationFile[],
  applied: readonly AppliedMigration[],
): MigrationFile | undefined {
  const byNumber = new Map(files.map(file => [file.number, file]))
  for (const { number, name, checksum } of applied) {
    const file = byNumber.get(number)
    if (file === undefined) throw new MigrationError('missing', name, 'was applied, but its file is not there any more')
    if (file.checksum !== checksum || file.name !== name) {
      throw new MigrationError('changed', name, 'was applied in another form: put it back and write a new one')
    }
    byNumber.delete(number)
  }
  const [next] = [...byNumber.values()].sort((a, b) => a.number - b.number)
  const last = applied.at(-1)
  if (next !== undefined && last !== undefined && next.number < last.number) {
    throw new MigrationError('out-of-order', next.name, `comes before ${last.name}, which was applied: renumber it`)
  }
  return next
}
