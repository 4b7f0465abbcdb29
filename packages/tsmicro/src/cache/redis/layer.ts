import { randomBytes } from 'node:crypto'
import type { SharedEntry, SharedLayer, SharedLookup, Stamp } from '../coordinator.ts'
import type { Generation } from '../replicas/options.ts'
import type { CacheLog } from '../replicas/servers.ts'
import { EVERYTHING, isTag, type Tag, type TagsByCache } from '../tags.ts'
import { RedisLink } from './link.ts'
import { FIND, FORGET, KEEP } from './scripts.ts'

export interface RedisOptions {
  /** `redis://[[user]:password@]host[:port][/database]`, or `rediss:` for TLS. The user may run `EVAL`, `INFO`, `PING`. */
  readonly url: string
  /** The prefix of every key. Stores that cache different things need different prefixes. Default `cache`. */
  readonly prefix?: string
}

/** The part of the replica that knows the current generation. */
interface Generations {
  readonly membership: { readonly generation: Generation | undefined }
  replaceGeneration(generation: Generation, server: string): Promise<unknown>
}

/** The number of tags that a log keeps; with one more it starts over. */
const MOST_TAGS = 10_000
/** The scripts pass them on as arguments, of which Lua accepts some thousands. */
const MOST_TAGS_OF_A_VALUE = 1000
/** An unused log is deleted after this time. All values of its generation have expired before. */
const LOG_MS = 24 * 3_600_000
const REPLACE_MS = 1000

/** The layer in Redis, below memory. The scripts decide which of its values are valid. */
export class RedisLayer implements SharedLayer {
  readonly #link: RedisLink
  readonly #prefix: string
  readonly #generations: Generations
  /** The server that answered last. */
  server: string | undefined
  #replacedAt = Number.NEGATIVE_INFINITY

  constructor({ url, prefix = 'cache' }: RedisOptions, generations: Generations, log: CacheLog | undefined) {
    if (!/^rediss?:\/\/[^/]/.test(url)) throw new TypeError('the URL of Redis must be redis://host:port or rediss://…')
    if (!/^[\w.-]+$/.test(prefix)) throw new TypeError(`keys in Redis can't begin with ${JSON.stringify(prefix)}`)
    this.#link = new RedisLink(url, log)
    this.#prefix = prefix
    this.#generations = generations
  }

  connect(): Promise<void> {
    return this.#link.connect()
  }

  close(): void {
    this.#link.close()
  }

  async find(cache: string, key: string): Promise<SharedLookup> {
    const generation = this.#generations.membership.generation
    if (!generation) return {}
    const keys = [this.#logKey(generation), this.#valueKey(generation, cache, key)]
    const reply = await this.#run(FIND, generation, keys, [fresh(), String(LOG_MS)])
    if (!reply) return {}
    const [epoch = '', seq = '', value, tags, ttl] = reply
    const stamp = { generation: generation.id, epoch, seq }
    return { stamp, entry: entryOf(cache, value, tags, Number(ttl)) }
  }

  async keep(cache: string, key: string, stamp: Stamp, { value, tags, ttlMs }: SharedEntry): Promise<void> {
    const generation = this.#generations.membership.generation
    if (generation?.id !== stamp.generation || ttlMs < 1 || tags.length > MOST_TAGS_OF_A_VALUE) return
    const all = [EVERYTHING, ...tags].map(tag => field(cache, tag))
    const keys = [this.#logKey(generation), this.#valueKey(generation, cache, key)]
    const args = [stamp.epoch, stamp.seq, String(Math.floor(ttlMs)), JSON.stringify(all), JSON.stringify(value)]
    await this.#run(KEEP, generation, keys, args)
  }

  /** @returns undefined if it is not certain that it was done */
  async forget(generation: Generation, tags: TagsByCache): Promise<Stamp | undefined> {
    const names = [...tags].flatMap(([cache, list]) => list.map(tag => field(cache, tag).slice(1)))
    const args = [fresh(), String(LOG_MS), String(MOST_TAGS), ...names]
    const reply = await this.#run(FORGET, generation, [this.#logKey(generation)], args)
    if (!reply) return undefined
    const [epoch = '', seq = ''] = reply
    return { generation: generation.id, epoch, seq }
  }

  /** @returns undefined if it was not done: Redis is down, or is not the generation's server */
  async #run(
    script: string,
    generation: Generation,
    keys: string[],
    args: string[],
  ): Promise<readonly (string | undefined)[] | undefined> {
    const reply = await this.#link.run(script, keys, [generation.server, ...args])
    if (!reply) return undefined
    const [server, ...rest] = reply.map(part => (typeof part === 'string' ? part : undefined))
    this.server = server
    if (server === undefined) return undefined
    if (server === generation.server) return rest
    this.#replaceGeneration(generation, server)
    return undefined
  }

  /** At most once a second: two replicas that are connected to two servers must not keep replacing each other's generation. */
  #replaceGeneration(generation: Generation, server: string): void {
    if (performance.now() - this.#replacedAt < REPLACE_MS) return
    this.#replacedAt = performance.now()
    this.#generations.replaceGeneration(generation, server).catch(() => undefined)
  }

  /** The braces keep a generation in one slot of a cluster. Names of caches contain no colon, so keys are unique. */
  #logKey({ id }: Generation): string {
    return `${this.#prefix}:{${id}}:log`
  }

  #valueKey({ id }: Generation, cache: string, key: string): string {
    return `${this.#prefix}:{${id}}:value:${cache}:${key}`
  }
}

const fresh = () => randomBytes(9).toString('base64url')

/** A tag's field in the log; the letter distinguishes it from the log's own fields. */
const field = (cache: string, tag: Tag) => `m${cache}:${tag}`

/** Other replicas may have another version: an entry that is not understood counts as missing. */
function entryOf(cache: string, value?: string, tags?: string, ttlMs?: number): SharedEntry | undefined {
  if (value === undefined || tags === undefined || !(Number(ttlMs) > 0)) return undefined
  try {
    const fields: unknown = JSON.parse(tags)
    if (!Array.isArray(fields)) return undefined
    const own = fields.map(each => String(each).slice(`m${cache}:`.length)).filter(isTag)
    return { value: JSON.parse(value), tags: own.filter(tag => tag !== EVERYTHING), ttlMs: Number(ttlMs) }
  } catch {
    return undefined
  }
}
