// MongoDB: typed queries, an index that the start creates, and ids that are texts outside of the service.
import { databaseUrl, startDocuments } from '@tsmicro/infra'
import { ObjectId } from 'mongodb'
import { createService, implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import { createMongo, isDuplicateKey } from 'tsmicro/mongo'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const { TITLE_TAKEN } = defineErrors({ TITLE_TAKEN: { status: 409, message: 'There is a book with this title' } })
const Book = Type.Object({ id: Type.String(), title: Type.String() })
const title = Type.Pick(Book, ['title'])
const books = contract('books', {
  add: procedure({ http: 'POST /books', access: 'open', input: title, output: Book, errors: { TITLE_TAKEN } }),
  list: procedure({ http: 'GET /books', access: 'open', output: Type.Array(Book) }),
})

interface BookDocument {
  _id: ObjectId
  title: string
  addedAt: Date
}

// The embedded document server, unless there is a MongoDB already.
const server = await startDocuments({ ephemeral: true, url: process.env.MONGODB_URL })
const mongo = createMongo({ url: databaseUrl(server.url, 'library'), applicationName: 'books' })
const stored = mongo.collection<BookDocument>('books', { indexes: [{ key: { title: 1 }, unique: true }] })

const handlers = implement(books, {
  async add({ input, errors }) {
    try {
      const { _id } = await stored.insertOne({ _id: new ObjectId(), ...input, addedAt: new Date() })
      return { id: _id.toHexString(), ...input }
    } catch (error) {
      if (isDuplicateKey(error)) throw new errors.TITLE_TAKEN()
      throw error
    }
  },
  async list() {
    const found = await stored.find({}, { select: ['title'], sort: { title: 1 }, limit: 100 })
    return found.map(({ _id, title }) => ({ id: _id.toHexString(), title }))
  },
})

const log = createLogger({ name: 'books', level: 'warn' })
const prepare = [{ name: 'indexes', run: () => mongo.ensureIndexes() }]
const module = { dependencies: [mongo], prepare, handlers: [handlers] }
const service = createService({ name: 'books', version: '1.0.0', module, log, http: { port: 0 } })
await service.start()

const client = createHttpClient(books, { baseUrl: service.url })
await client.add({ title: 'Emma' })
await client.add({ title: 'Dracula' })
await client.add({ title: 'Emma' }).catch(error => console.log(error instanceof TITLE_TAKEN && error.message))
console.log((await client.list()).map(book => book.title))
await service.stop()
await server.stop()

// Prints:
// There is a book with this title
// [ 'Dracula', 'Emma' ]
