import type { AccessChanges, AccessPosition } from '@blog-platform/auth-contract'
import { sql } from 'kysely'
import type { Connection } from '../../database.ts'

/** Reads the changes to sessions, users and keys, which the database numbers in the order of their commits (migration 0012). */
export class AccessChangeRepository {
  readonly #db: Connection

  constructor(db: Connection) {
    this.#db = db
  }

  /** One statement, so that the changes are exactly those up to the position. */
  async since({ number, mark }: Partial<AccessPosition> = {}): Promise<AccessChanges> {
    const { rows } = await sql<AccessPosition & Pick<AccessChanges, 'changes' | 'startOver'>>`
      with latest as (
        select now.number, now.mark, asked.number as since, exists (
          select from access_changes change where (change.number, change.mark) = (asked.number, asked.mark)
        ) as known
        from access_position now, (select ${number ?? null}::bigint as number, ${mark ?? null}::uuid as mark) asked
      )
      select number::float8, mark, not known as "startOver", case when known then (
        select json_agg(json_build_object('number', change.number, 'kind', kind, 'id', id) order by change.number)
        from access_changes change where change.number > latest.since
      ) else (
        select json_agg(json_build_object('number', latest.number, 'kind', 'key', 'id', kid))
        from signing_keys where withdrawn_at is not null
      ) end as changes
      from latest`.execute(this.#db)
    const [latest] = rows
    if (!latest) throw new Error('the row of access_position is missing')
    const { changes, startOver, ...position } = latest
    return { position, changes: changes ?? [], startOver }
  }
}
