import { randomBytes } from 'node:crypto'
import type { Document, Filter, UpdateFilter } from 'mongodb'
import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { isDuplicateKey } from './errors.ts'
import type { Mongo } from './mongo.ts'
import type { QueryBuilder } from './query-builder.ts'

/** See `Generation` of `tsmicro/cache`, which fits: neither entry imports the other. */
interface MembershipGeneration {
  readonly number: number
  readonly id: string
  readonly server: string
}

/** The contents of a membership's document. */
interface MembershipState {
  readonly generation: MembershipGeneration
  readonly members: ReadonlyMap<string, { readonly beat: number; readonly leaseMs: number; readonly out: boolean }>
}

interface Stored {
  _id: string
  /** Counts the reads, so that each of them is a write. */
  asked?: number
  generation: MembershipGeneration
  members?: Record<string, { beat: number; leaseMs: number; out: boolean }>
}

type Change = UpdateFilter<Stored>

/**
 * A change is answered once a majority has it. A read is a change too: a primary that was deposed without knowing it cannot
 * answer, on a replica set or a single server. (`readConcern: linearizable` needs a replica set.)
 */
const DURABLY = { writeConcern: { w: 'majority', wtimeoutMS: 2000 }, maxTimeMS: 2000 } as const

/**
 * A membership in one document, which makes every step atomic.
 *
 * @param name the collection; the document's `_id` is `group`
 * @example
 * const registry: MongoMembership = createMongoMembership(mongo, 'cache-replicas')
 * const store = createCacheStore({ replicas: { registry, bus } })
 */
export function createMongoMembership(mongo: Mongo, name: string, group = 'replicas'): MongoMembership {
  return new MongoMembership(mongo.collection<Stored>(name), group)
}

/** The members of a group of processes: a `ReplicaRegistry` for `tsmicro/cache`. Fails like every `Mongo` operation. */
export class MongoMembership {
  readonly #documents: QueryBuilder<Stored>
  readonly #group: string

  constructor(documents: QueryBuilder<Stored>, group: string) {
    this.#documents = documents
    this.#group = group
  }

  async join(id: string, leaseMs: number, former: readonly string[]): Promise<MembershipState> {
    const $set = { [path(id)]: { beat: 1, leaseMs, out: false } }
    const $unset = Object.fromEntries(former.map(each => [path(each), '']))
    return this.#upsert({ $set, ...(former.length > 0 ? { $unset } : {}) } as Change)
  }

  renew(id: string): Promise<MembershipState | undefined> {
    return this.#change({ [`${path(id)}.out`]: false }, { $inc: { [`${path(id)}.beat`]: 1 } } as Change)
  }

  async leave(ids: readonly string[]): Promise<void> {
    const $unset = Object.fromEntries(ids.map(id => [path(id), '']))
    if (ids.length > 0) await this.#change({}, { $unset } as Change)
  }

  read(): Promise<MembershipState> {
    return this.#upsert({ $inc: { asked: 1 } })
  }

  async putOut(ids: readonly string[]): Promise<MembershipState> {
    for (const id of ids) {
      await this.#change({ [`${path(id)}.out`]: false }, { $set: { [`${path(id)}.out`]: true } } as Change)
    }
    return this.read()
  }

  async remove(id: string, beat: number): Promise<void> {
    await this.#change({ [`${path(id)}.beat`]: beat }, { $unset: { [path(id)]: '' } } as Change)
  }

  async replaceGeneration(
    number: number,
    { id, server }: { readonly id: string; readonly server: string },
  ): Promise<MembershipState> {
    const generation = { number: number + 1, id, server }
    const replaced = await this.#change({ 'generation.number': number }, { $set: { generation } } as Change)
    return replaced ?? this.read()
  }

  /** Changes the document, and creates it if it does not exist. */
  async #upsert(change: Change): Promise<MembershipState> {
    const generation = { number: 1, id: randomBytes(12).toString('hex'), server: '' }
    const whole = { ...change, $setOnInsert: { generation } } as Change
    // Two members may create it at the same time: one of them then finds the other's.
    const made = (await this.#change({}, whole, true).catch(ignoreDuplicate)) ?? (await this.#change({}, whole, true))
    if (made === undefined) throw new SERVICE_UNAVAILABLE()
    return made
  }

  #change(filter: Document, change: Change, upsert = false): Promise<MembershipState | undefined> {
    return this.#documents.run(async documents => {
      const own = { ...filter, _id: this.#group } as Filter<Stored>
      const options = { ...DURABLY, upsert, returnDocument: 'after', includeResultMetadata: true } as const
      const result = await documents.findOneAndUpdate(own, change, options)
      // The driver does not throw it.
      const { writeConcernError: cause } = result as Document
      if (cause) throw new SERVICE_UNAVAILABLE(undefined, { cause, retryAfterSeconds: 1 })
      return result.value ? stateOf(result.value as Stored) : undefined
    })
  }
}

function stateOf({ generation, members = {} }: Stored): MembershipState {
  return { generation, members: new Map(Object.entries(members)) }
}

/** The part of a path may not contain a dot or begin with a dollar. */
function path(id: string): string {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(id)) throw new TypeError(`a member can't be named ${JSON.stringify(id)}`)
  return `members.${id}`
}

function ignoreDuplicate(error: unknown): undefined {
  if (!isDuplicateKey(error)) throw error
}
