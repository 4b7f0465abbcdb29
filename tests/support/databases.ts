import { BSON, MongoClient } from 'mongodb'
import pg from 'pg'
import type { Platform } from './platform.ts'

/** Every row and document, as text by table or collection and id. */
export type Dump = ReadonlyMap<string, string>

/**
 * What changes through reads or over time: counts of failed sign-ins, the lifetime of signing keys, which instances cache, and how far
 * events have got on their way.
 */
const MOVING = [
  ...['sign_in_attempts', 'signing_keys', 'access_position', 'access_changes'],
  ...['cacheReplicas', 'outbox', 'outboxEvents', 'inbox'],
  ...['tsmicro_outbox', 'tsmicro_outbox_aggregates', 'tsmicro_outbox_streams', 'tsmicro_inbox'],
]

/** Dumps both databases with all their tables. */
export async function dump(platform: Pick<Platform, 'postgres' | 'documents'>): Promise<Dump> {
  const [rows, documents] = await Promise.all([rowsOf(platform.postgres.url), documentsOf(platform.documents.url)])
  return new Map([...rows, ...documents].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** How a dump differs from an earlier one. */
export interface Difference {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

export function difference(before: Dump, after: Dump): Difference {
  return {
    added: [...after.keys()].filter(key => !before.has(key)),
    changed: [...after].filter(([key, text]) => before.has(key) && before.get(key) !== text).map(([key]) => key),
    removed: [...before.keys()].filter(key => !after.has(key)),
  }
}

export const UNCHANGED: Difference = { added: [], changed: [], removed: [] }

/** Runs SQL on the auth service's database, for states that no procedure creates. */
export async function onPostgres<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function rowsOf(url: string): Promise<[string, string][]> {
  return onPostgres(url, async client => {
    const tables = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
    )
    const dumped: [string, string][] = []
    for (const { name } of tables.rows.filter(table => !MOVING.includes(table.name))) {
      const { rows } = await client.query<{ row: string; id: string | null }>(
        `select to_jsonb(t)::text as row, to_jsonb(t)->>'id' as id from ${pg.escapeIdentifier(name)} t order by 1`,
      )
      dumped.push(...rows.map(({ row, id }): [string, string] => [`${name}/${id ?? row}`, row]))
    }
    return dumped
  })
}

async function documentsOf(url: string): Promise<[string, string][]> {
  await using client = await MongoClient.connect(url)
  const database = client.db('blog')
  const dumped: [string, string][] = []
  const collections = await database.listCollections().toArray()
  for (const { name } of collections.filter(collection => !MOVING.includes(collection.name))) {
    const projection = { _outbox: 0, _inbox: 0 }
    for (const document of await database.collection(name).find({}, { projection }).toArray()) {
      dumped.push([`${name}/${document._id}`, BSON.EJSON.stringify(document)])
    }
  }
  return dumped
}
