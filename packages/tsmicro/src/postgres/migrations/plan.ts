import { MigrationError } from './error.ts'
import type { MigrationFile } from './files.ts'
import { checkRules } from './rules.ts'

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
