// PostgreSQL from empty: a migration creates the table, a repository maps its rows, a transaction keeps two changes together.
import { startPostgres } from '@tsmicro/infra'
import type { Generated, Selectable } from 'kysely'
import { createService, implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import { createPostgres, type Postgres } from 'tsmicro/postgres'
import { createLogger } from 'tsmicro/telemetry'
import Type, { type Static } from 'typebox'

const Note = Type.Object({ id: Type.String(), text: Type.String() })
const notes = contract('notes', {
  add: procedure({
    ...{ http: 'POST /notes', access: 'open', status: 201 },
    ...{ input: Type.Object({ texts: Type.Array(Type.String({ minLength: 1 })) }), output: Type.Array(Note) },
  } as const),
  list: procedure({ http: 'GET /notes', access: 'open', output: Type.Array(Note) }),
})

/** The tables as the migrations create them. A `bigint` comes as text: it may be larger than a number can hold. */
interface Tables {
  notes: { id: Generated<string>; note_text: string; created_at: Generated<Date> }
}
type NoteRow = Selectable<Tables['notes']>

/** Columns have the database's names, fields the contract's: the repository is the one place that knows both. */
const toNote = ({ id, note_text }: NoteRow): Static<typeof Note> => ({ id, text: note_text })

class NoteRepository {
  readonly #postgres: Postgres<Tables>

  constructor(postgres: Postgres<Tables>) {
    this.#postgres = postgres
  }

  /** All of them or none. */
  add(texts: readonly string[]) {
    return this.#postgres.transaction(async tx => {
      const added: NoteRow[] = []
      for (const note_text of texts)
        added.push(await tx.insertInto('notes').values({ note_text }).returningAll().executeTakeFirstOrThrow())
      return added.map(toNote)
    })
  }

  async list() {
    return (await this.#postgres.db.selectFrom('notes').selectAll().orderBy('id').execute()).map(toNote)
  }
}

// An embedded server, unless there is one already; DATABASE_URL names its database.
const server = await startPostgres({ ephemeral: true, url: process.env.DATABASE_URL, database: 'notes' })
const log = createLogger({ name: 'notes', level: 'warn' })
const postgres = createPostgres<Tables>({ url: server.url, applicationName: 'notes', log })
const repository = new NoteRepository(postgres)
const migrations = new URL('./migrations/', import.meta.url)
const module = {
  dependencies: [postgres],
  // Before the first request. Instances that start at the same time wait for each other.
  prepare: [{ name: 'migrations', run: async () => void (await postgres.migrate(migrations)) }],
  handlers: [implement(notes, { add: ({ input }) => repository.add(input.texts), list: () => repository.list() })],
}
const service = createService({ name: 'notes', version: '1.0.0', module, log, http: { port: 0 } })
await service.start()

const client = createHttpClient(notes, { baseUrl: service.url })
await client.add({ texts: ['Buy milk', 'Drink it'] })
console.log((await client.list()).map(note => note.text))
await service.stop()
await server.stop()

// Prints:
// [ 'Buy milk', 'Drink it' ]
