import { contractOf, databaseOf, type ServiceOptions } from './options.ts'
import { contractSpecifier, type Places, specifier } from './places.ts'

/** Handlers, and what they need to keep data. */
export function codeFiles(options: ServiceOptions, places: Places): Readonly<Record<string, string>> {
  const { name, store } = options
  const contract = contractOf(name)
  const from = contractSpecifier(options, places, places.handlers)
  if (store === undefined)
    return {
      [places.handlers]: `import { implement } from 'tsmicro'
import { ${contract}, NAME_NOT_WELCOME } from '${from}'

export const greetingHandlers = implement(${contract}, {
  greet({ input: { name } }) {
    if (name === 'Mallory') throw new NAME_NOT_WELCOME({ name })
    return { text: \`Hello, \${name}!\` }
  },
})
`,
    }
  return {
    [places.handlers]: `import { implement } from 'tsmicro'
import { ITEM_UNKNOWN, ${contract} } from '${from}'
import type { ItemRepository } from '${specifier(places.handlers, places.repository)}'

export const itemHandlers = (items: ItemRepository) =>
  implement(${contract}, {
    add: ({ input }) => items.add(input.title),
    async find({ input }) {
      const item = await items.find(input.id)
      if (!item) throw new ITEM_UNKNOWN()
      return item
    },
  })
`,
    ...(store === 'postgres' ? postgresFiles(places) : mongoFiles(places)),
  }
}

function postgresFiles(places: Places): Readonly<Record<string, string>> {
  return {
    [`${places.migrations}/0001_items.sql`]: `create table items (
  id uuid primary key default gen_random_uuid(),
  title text not null
);
`,
    [places.database]: `import type { Generated } from 'kysely'

/** The directory of the SQL files that create the tables. */
export const MIGRATIONS = new URL('${specifier(places.database, places.migrations)}/', import.meta.url)

interface ItemsTable {
  id: Generated<string>
  title: string
}

/** The tables as the migrations create them. */
export interface Tables {
  items: ItemsTable
}
`,
    [places.repository]: `import type { Postgres } from 'tsmicro/postgres'
import type { Tables } from '${specifier(places.repository, places.database)}'

interface Item {
  readonly id: string
  readonly title: string
}

export class ItemRepository {
  readonly #postgres: Postgres<Tables>

  constructor(postgres: Postgres<Tables>) {
    this.#postgres = postgres
  }

  add(title: string): Promise<Item> {
    return this.#postgres.db.insertInto('items').values({ title }).returning(['id', 'title']).executeTakeFirstOrThrow()
  }

  find(id: string): Promise<Item | undefined> {
    return this.#postgres.db.selectFrom('items').select(['id', 'title']).where('id', '=', id).executeTakeFirst()
  }
}
`,
  }
}

function mongoFiles(places: Places): Readonly<Record<string, string>> {
  return {
    [places.repository]: `import { randomUUID } from 'node:crypto'
import type { IndexDefinition, Mongo, QueryBuilder } from 'tsmicro/mongo'

interface ItemDocument {
  _id: string
  title: string
}

/** Missing ones are created at start. */
const indexes: readonly IndexDefinition<ItemDocument>[] = [{ key: { title: 1 } }]

interface Item {
  readonly id: string
  readonly title: string
}

export class ItemRepository {
  readonly #items: QueryBuilder<ItemDocument>

  constructor(mongo: Mongo) {
    this.#items = mongo.collection('items', { indexes })
  }

  async add(title: string): Promise<Item> {
    const { _id: id } = await this.#items.insertOne({ _id: randomUUID(), title })
    return { id, title }
  }

  async find(id: string): Promise<Item | undefined> {
    const found = await this.#items.findOne({ _id: id })
    return found ? { id: found._id, title: found.title } : undefined
  }
}
`,
  }
}

/** What a configuration gives the program. @param gateway whether it knows the gateway's secret */
export function environmentOf({ name, store }: ServiceOptions, nats: string): readonly string[] {
  const database = databaseOf(name)
  return [
    `NATS_URL: ${nats}`,
    ...(store === 'postgres' ? [`DATABASE_URL: system.postgresDatabase('${database}').url`] : []),
    ...(store === 'mongo' ? [`MONGODB_URL: system.mongoDatabase('${database}').url`] : []),
  ]
}
