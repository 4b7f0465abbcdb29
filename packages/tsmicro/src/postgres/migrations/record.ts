import type { Query } from './query.ts'
import type { Task } from './within.ts'

export async function recordDone(query: Query, { file, history, service }: Task): Promise<void> {
  const sql = `insert into ${history.table} (number, name, checksum, service) values ($1, $2, $3, $4)`
  await query(sql, [file.number, file.name, file.checksum, service])
}

/** Before the first statement of a migration without a transaction: whatever happens now, it is known that it began. */
export async function recordBegun(query: Query, { file, history, service }: Task): Promise<void> {
  const sql = `insert into ${history.table} (number, name, checksum, service, state) values ($1, $2, $3, $4, 'begun')`
  await query(sql, [file.number, file.name, file.checksum, service])
}

export async function recordEnd(query: Query, { file, history }: Task): Promise<void> {
  await query(`update ${history.table} set state = 'applied', applied_at = now() where number = $1`, [file.number])
}

export async function recordFailed(query: Query, { file, history, service }: Task, error: string): Promise<void> {
  const sql = `insert into ${history.table} (number, name, checksum, service, state, error) values ($1, $2, $3, $4, 'failed', $5)
    on conflict (number) do update set state = 'failed', error = excluded.error`
  await query(sql, [file.number, file.name, file.checksum, service, error])
}

export async function forget(query: Query, { file, history }: Task): Promise<void> {
  await query(`delete from ${history.table} where number = $1`, [file.number])
}
