import { type Db, type Document, MongoClient, type MongoClientOptions } from 'mongodb'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import type { IdempotencyStore, OutboxStore } from '../stores/index.ts'
import type { InboxRow } from './attempt.ts'
import { MongoChange } from './change.ts'
import { translate, translated, unpermitted, unreadable } from './errors.ts'
import { createIdempotencyStore, KEPT_ANSWERS_INDEX, type KeptAnswer } from './idempotency-store.ts'
import { createInboxStore, INBOX_INDEX, type MongoInboxStore } from './inbox-store.ts'
import type { IndexDefinition } from './indexes.ts'
import { endLostWrites } from './lost-writes.ts'
import type { Aggregates } from './outbox-documents.ts'
import { MongoOutboxStore } from './outbox-store.ts'
import { QueryBuilder } from './query-builder.ts'
import type { Identified } from './types.ts'

export interface MongoOptions {
  /** `mongodb://user:password@host:27017/database` */
  readonly url: string
  /** Default: the one in the URL. */
  readonly database?: string
  /** Maximum number of connections. Default 10. */
  readonly poolSize?: number
  /** Shown in the server's log and `currentOp`. */
  readonly applicationName?: string
  /** Longest wait for a usable server, in milliseconds. Default 2000. */
  readonly serverSelectionTimeoutMs?: number
  /** Longest run of an operation on the server, in milliseconds. Default 30000. */
  readonly operationTimeoutMs?: number
  /**
   * The signal of the current caller, which ends its reads unless a read is given a signal. Changes are not ended, as nobody
   * would know whether they were made. In a service: `() => currentContext()?.deadline.signal`.
   */
  readonly currentSignal?: () => AbortSignal | undefined
}

/**
 * A MongoDB database. If it can't be reached, operations fail with `SERVICE_UNAVAILABLE`; operations that take too long fail
 * with `DEADLINE_EXCEEDED`. Both have the driver's error as cause. Reconnects by itself when the server is back.
 */
export interface Mongo {
  readonly name: 'mongo'
  /** The driver, for everything else. */
  readonly client: MongoClient
  readonly db: Db
  /**
   * A typed query builder for one collection and its indexes. `aggregate` is the first token of the subjects of events that announce changes
   * of its documents: these are kept in the documents until they are sent.
   */
  collection<Doc extends Identified>(
    name: string,
    options?: { readonly indexes?: readonly IndexDefinition<Doc>[]; readonly aggregate?: string },
  ): QueryBuilder<Doc>
  /** Creates the missing indexes of all collections made by `collection`. See `QueryBuilder.ensureIndexes`. */
  ensureIndexes(): Promise<void>
  /**
   * For the middleware `idempotencyKey`: answers in the collection `idempotencyKeys`. The server deletes what has lapsed, once
   * `ensureIndexes` has created the index for that.
   */
  idempotencyStore(): IdempotencyStore
  /** For `createOutbox`: events are part of changes of documents. */
  outboxStore(): OutboxStore<MongoChange>
  /** For handlers with the effect `mongodb`: how far they have come is kept in the documents that they change, and in the collection `inbox`. */
  inboxStore(): MongoInboxStore
  /**
   * Runs a function that changes a document and announces it. Events that are added to the change are kept in the document by the write that
   * gets `{ change }`, in one atomic step, if it changes the document; its filter has the `_id`, which is the id of the events' aggregate.
   * At most 100 events of a document may wait to be sent, or 1 MB of them: otherwise the write is `SERVICE_UNAVAILABLE` and changes nothing.
   * @throws {TypeError} if events were added and no write got the change
   */
  change<T>(run: (change: MongoChange) => Promise<T>): Promise<T>
  /** Checks once whether the server can be used. */
  connect(): Promise<void>
  /** @throws {SERVICE_UNAVAILABLE} if a ping is not answered within 1.5 seconds */
  check(): Promise<void>
  /** Closes all connections. May be called twice. */
  close(): Promise<void>
}

const checkLimitMs = 1500

/**
 * @throws {UnusableError} for a URL that the driver cannot read
 * @example
 * const mongo: Mongo = createMongo({ url: config.MONGODB_URL })
 * const bySlug: IndexDefinition<Blog> = { key: { slug: 1 }, unique: true }
 * const blogs = mongo.collection<Blog>('blogs', { indexes: [bySlug] })
 * await mongo.connect()
 * await mongo.ensureIndexes()
 * const blog = await blogs.findOne({ slug }, { select: ['title', 'text'] })
 * await mongo.close()
 */
export function createMongo(options: MongoOptions): Mongo {
  const { serverSelectionTimeoutMs = 2000, operationTimeoutMs = 30_000, poolSize = 10, applicationName } = options
  endLostWrites()
  const client = openClient(options.url, {
    maxPoolSize: poolSize,
    serverSelectionTimeoutMS: serverSelectionTimeoutMs,
    connectTimeoutMS: serverSelectionTimeoutMs,
    waitQueueTimeoutMS: serverSelectionTimeoutMs,
    // The server enforces the limit; this one is for a server that no longer answers. (The driver's own `timeoutMS` has no
    // effect since 7.9.)
    socketTimeoutMS: operationTimeoutMs + 1000,
    ...(applicationName === undefined ? {} : { appName: applicationName }),
  })
  const db = client.db(options.database)
  const builders: { ensureIndexes(): Promise<unknown> }[] = []
  const aggregates: Aggregates[] = []
  const listeners = new Set<() => void>()
  const committed = () => {
    for (const listener of listeners) listener()
  }
  const collection = <Doc extends Identified>(
    name: string,
    { indexes = [], aggregate }: { indexes?: readonly IndexDefinition<Doc>[]; aggregate?: string } = {},
  ) => {
    const { currentSignal } = options
    const shared = { indexes, operationTimeoutMs, currentSignal, aggregate, committed }
    const builder = new QueryBuilder<Doc>(db.collection<Doc>(name), shared)
    builders.push(builder)
    if (aggregate !== undefined) declare(aggregates, { type: aggregate, collection: db.collection(name) })
    return builder
  }
  return {
    name: 'mongo',
    client,
    db,
    collection,
    idempotencyStore: () =>
      createIdempotencyStore(collection<KeptAnswer>('idempotencyKeys', { indexes: [KEPT_ANSWERS_INDEX] })),
    outboxStore: () => new MongoOutboxStore(db, { aggregates, listeners }),
    inboxStore: () => createInboxStore(collection<InboxRow>('inbox', { indexes: [INBOX_INDEX] })),
    async change(run) {
      const change = new MongoChange()
      const result = await run(change)
      change.assertWritten()
      return result
    },
    async ensureIndexes() {
      for (const builder of builders) await builder.ensureIndexes()
    },
    connect: () =>
      translated(async () => {
        await client.connect()
        await ask(db, ALLOWED, serverSelectionTimeoutMs)
      }),
    check: () => ask(db, { ping: 1 }, checkLimitMs),
    close: () => client.close(),
  }
}

/** All documents of a type are in one collection, as their numbers are counted there. */
function declare(all: Aggregates[], declared: Aggregates): void {
  const { type, collection } = declared
  const name = collection.collectionName
  const other = all.find(each => (each.type === type) !== (each.collection.collectionName === name))
  if (other)
    throw new TypeError(
      `${name} cannot hold the aggregates ${type}, as ${other.collection.collectionName} holds ${other.type}: each type has one collection`,
    )
  if (!all.some(each => each.type === type)) all.push(declared)
}

function openClient(url: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options)
  } catch (error) {
    throw unreadable(error, url)
  }
}

/** Needs only the lowest right that there is, and returns nothing. */
const ALLOWED = { listCollections: 1, filter: { name: '' }, nameOnly: true, authorizedCollections: true }

async function ask(db: Db, command: Document, limitMs: number): Promise<void> {
  const signal = AbortSignal.timeout(limitMs)
  try {
    await db.command(command, { signal })
  } catch (error) {
    if (!signal.aborted) throw unpermitted(error, db.databaseName) ?? translate(error)
    throw new SERVICE_UNAVAILABLE(undefined, { cause: error, retryAfterSeconds: 1 })
  }
}
