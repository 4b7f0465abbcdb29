import { camelCase, program } from './service-files.ts'

/** The files of a service that keeps its data in a PostgreSQL database of its own. */
export function postgresServiceFiles(name: string): Readonly<Record<string, string>> {
  const contract = `${camelCase(name)}Contract`
  return {
    [`contracts/${name}.ts`]: `import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'

const Item = Type.Object({ id: Type.String({ format: 'uuid' }), title: Type.String() })

export const { ITEM_UNKNOWN } = defineErrors({
  ITEM_UNKNOWN: { status: 404, message: 'There is no such item' },
})

export const ${contract} = contract('${name}', {
  add: procedure({
    http: 'POST /${name}',
    nats: 'add',
    access: 'open',
    summary: 'Adds an item',
    input: Type.Object({ title: Type.String({ minLength: 1, maxLength: 200 }) }),
    output: Item,
  }),
  find: procedure({
    http: 'GET /${name}/:id',
    nats: 'find',
    access: 'open',
    summary: 'The item with this id',
    input: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    output: Item,
    errors: { ITEM_UNKNOWN },
  }),
})
`,
    [`services/${name}/migrations/0001_items.sql`]: `create table items (
  id uuid primary key default gen_random_uuid(),
  title text not null
);
`,
    [`services/${name}/repository.ts`]: `import type { Postgres } from 'tsmicro/postgres'

export interface Tables {
  items: { id: GeneratedId; title: string }
}
type GeneratedId = import('kysely').Generated<string>

export interface Item {
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
    [`services/${name}/module.ts`]: `import { implement, type Module, type NatsClient } from 'tsmicro'
import type { Postgres } from 'tsmicro/postgres'
import { ITEM_UNKNOWN, ${contract} } from '../../contracts/${name}.ts'
import { ItemRepository, type Tables } from './repository.ts'

const MIGRATIONS = new URL('./migrations/', import.meta.url)

export function createModule({ nats, postgres }: { nats: NatsClient; postgres: Postgres<Tables> }): Module {
  const items = new ItemRepository(postgres)
  return {
    nats,
    dependencies: [postgres],
    prepare: [{ name: 'migrations', run: async () => void (await postgres.migrate(MIGRATIONS)) }],
    handlers: [
      implement(${contract}, {
        add: ({ input }) => items.add(input.title),
        async find({ input }) {
          const item = await items.find(input.id)
          if (!item) throw new ITEM_UNKNOWN()
          return item
        },
      }),
    ],
  }
}
`,
    [`services/${name}/main.ts`]: program(name, {
      imports: "import { createPostgres } from 'tsmicro/postgres'\n",
      types: "import type { Tables } from './repository.ts'\n",
      env: "    DATABASE_URL: Type.String({ description: 'postgres://user:password@host:port/database' }),\n",
      parts: `const postgres = createPostgres<Tables>({ url: env.DATABASE_URL, applicationName: '${name}', log })\n`,
      passed: ', postgres',
    }),
    [`services/${name}/${name}.test.ts`]: `import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { startPostgres } from '@tsmicro/infra'
import { createPostgres } from 'tsmicro/postgres'
import { testService } from 'tsmicro/testing'
import { ITEM_UNKNOWN, ${contract} } from '../../contracts/${name}.ts'
import { createModule } from './module.ts'
import type { Tables } from './repository.ts'

const server = await startPostgres({ ephemeral: true })
const app = await testService(parts => createModule({ ...parts, postgres: createPostgres<Tables>({ url: server.url }) }))
after(async () => {
  await app.close()
  await server.stop()
})

test('an item that was added at one door is found at the other', async () => {
  const added = await app.http(${contract}).add({ title: 'A first one' })
  assert.deepEqual(await app.nats(${contract}).find({ id: added.id }), added)
  await assert.rejects(app.http(${contract}).find({ id: randomUUID() }), ITEM_UNKNOWN)
})
`,
  }
}
