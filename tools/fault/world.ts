import { contract, event } from 'tsmicro/contract'
import { createMongo } from 'tsmicro/mongo'
import { createPostgres, type Postgres } from 'tsmicro/postgres'
import Type from 'typebox'

const data = Type.Object({ id: Type.String(), key: Type.String() })
/** An account is a row in PostgreSQL, a page a document. Each change of one has a key of its own. */
export const accountChanged = event({ subject: 'account.changed', aggregate: 'id', data })
export const pageChanged = event({ subject: 'page.changed', aggregate: 'id', data })
export const changes = contract('source', { accountChanged, pageChanged })

/** Keys of what has to be rolled back begin with it. */
export const ABANDONED = 'abandoned'

/** The keys of an aggregate's changes in their order, or those of their effects. */
export interface Keys {
  _id: string
  keys: string[]
}

export interface Urls {
  readonly nats: string
  readonly postgres: string
  readonly documents: string
}

/** What a process gets to start with. */
export interface Assignment {
  readonly urls: Urls
  /** Begins the keys of this process; no other one has it. */
  readonly name: string
}

/** From a process to the run: keys whose change has been committed, as far as it knows, or how many effects there were. */
export interface Report {
  readonly committed?: readonly string[]
  readonly effects?: number
}

/** From the run to a process. */
export interface Order {
  readonly assignment?: Assignment
  /** Whether to change things, and whether to hold a transaction open meanwhile. */
  readonly changing?: boolean
  readonly holding?: boolean
  readonly stop?: true
}

/** Keys in one text, each with its line: then appending one is atomic, and keeps their order. */
interface Tables {
  accounts: { id: string; keys: string }
  effects: { id: string; keys: string }
}
type Transaction = Parameters<Parameters<Postgres<Tables>['transaction']>[0]>[0]

export async function appendKey(tx: Transaction, table: keyof Tables, id: string, key: string): Promise<void> {
  await tx
    .insertInto(table)
    .values({ id, keys: `${key}\n` })
    .onConflict(of =>
      of.column('id').doUpdateSet(eb => ({ keys: eb(eb.ref(`${table}.keys`), '||', eb.ref('excluded.keys')) })),
    )
    .execute()
}

/** Both databases: each has a ledger of changes, written with each change, and one of effects, written with each effect. */
export async function openDatabases(urls: Urls, empty = false) {
  const postgres = createPostgres<Tables>({ url: urls.postgres })
  const mongo = createMongo({ url: urls.documents, database: 'fault' })
  const pages = mongo.collection<Keys>('pages', { aggregate: 'page' })
  const effects = mongo.collection<Keys>('effects')
  if (empty)
    for (const table of ['accounts', 'effects'])
      await postgres.db.schema
        .createTable(table)
        .addColumn('id', 'text', column => column.primaryKey())
        .addColumn('keys', 'text', column => column.notNull())
        .execute()
  const close = async () => void (await Promise.all([postgres.close(), mongo.close()]))
  return { postgres, mongo, pages, effects, [Symbol.asyncDispose]: close }
}

export type Databases = Awaited<ReturnType<typeof openDatabases>>
