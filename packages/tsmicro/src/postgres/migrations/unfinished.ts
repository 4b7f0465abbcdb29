import { MigrationError } from './error.ts'
import type { AppliedMigration } from './plan.ts'
import type { Query } from './query.ts'
import type { History } from './table.ts'

/** A migration without a transaction that did not come to its end: only somebody who looks can tell what there is of it. */
export async function explainUnfinished(
  query: Query,
  { table }: History,
  { number, name, error, applied_at: begun }: AppliedMigration,
): Promise<MigrationError> {
  const { rows } = await query<{ name: string }>(
    'select indexrelid::regclass::text as name from pg_catalog.pg_index where not indisvalid order by 1',
  )
  const invalid = rows.map(row => row.name)
  const what = error ?? 'nobody knows what stopped it'
  const indexes = invalid.length === 0 ? '' : ` Invalid indexes are left, to be dropped: ${invalid.join(', ')}.`
  return new MigrationError(
    'unfinished',
    name,
    `was begun ${begun.toISOString()} and did not run to its end: ${what}.${indexes} ` +
      `See what there is of it. To run it again from its start: delete from ${table} where number = ${number}; ` +
      `when all of it is there: update ${table} set state = 'applied' where number = ${number}`,
  )
}
