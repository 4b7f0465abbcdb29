import { randomBytes } from 'node:crypto'
import { EVERYTHING, isMark, type Mark, type MarksByCache } from '../marks.ts'
import type { SharedEntry, SharedLayer, SharedLook, Stamp } from '../reach.ts'
import type { CacheLog } from '../replicas/log.ts'
import type { Generation } from '../replicas/registry.ts'
import { RedisLink } from './link.ts'
import { FIND, FORGET, KEEP } from './scripts.ts'

export interface RedisOptions {
  /** `redis://[[user]:password@]host[:port][/database]`, or `rediss:` for TLS. The user may run `EVAL`, `INFO`, `PING`. */
  readonly url: string
  /** Begins every key. Stores that cache different things need different ones. Default `cache`. */
  readonly prefix?: string
}

/** What the layer needs of the replica: which generation counts. */
export interface Generations {
  readonly membership: { readonly generation: Generation | undefined }
  meet(generation: Generation, server: string): Promise<void>
}

/** Marks of a log that are told apart; with one more it begins anew. */
const MOST_MARKS = 10_000
/** The scripts hand them on as arguments, of which Lua takes some thousands. */
const MOST_MARKS_OF_A_VALUE = 1000
/** A log that nobody touches goes after this long: with it, all values of the generation, which have gone before. */
const LOG_MS = 24 * 3_600_000
const MEET_MS = 1000

/** The layer in Redis, below memory. What is in it is judged by the scripts; see there. */
export class RedisLayer implements SharedLayer {
  readonly #link: RedisLink
  readonly #prefix: string
  readonly #generations: Generations
  /** The server that answered last. */
  #server: string | undefined
  #met = Number.NEGATIVE_INFINITY

  constructor({ url, prefix = 'cache' }: RedisOptions, generations: Generations, log: CacheLog | undefined) {
    if (!/^rediss?:\/\/[^/]/.test(url)) throw new TypeError('the URL of Redis is to be redis://host:port or rediss://…')
    if (!/^[\w.-]+$/.test(prefix)) throw new TypeError(`keys in Redis can't begin with ${JSON.stringify(prefix)}`)
    this.#link = new RedisLink(url, log)
    this.#prefix = prefix
    this.#generations = generations
  }

  get server(): string | undefined {
    return this.#server
  }

  connect(): Promise<void> {
    return this.#link.connect()
  }

  close(): void {
    this.#link.close()
  }

  async find(cache: string, key: string): Promise<SharedLook> {
    const generation = this.#generations.membership.generation
    if (!generation) return {}
    const keys = [this.#logKey(generation), this.#valueKey(generation, cache, key)]
    const reply = await this.#run(FIND, generation, keys, [fresh(), String(LOG_MS)])
    if (!reply) return {}
    const [epoch = '', seq = '', value, marks, ttl] = reply
    const stamp = { generation: generation.id, epoch, seq }
    return { stamp, entry: entryOf(cache, value, marks, Number(ttl)) }
  }

  async keep(cache: string, key: string, stamp: Stamp, { value, marks, ttlMs }: SharedEntry): Promise<void> {
    const generation = this.#generations.membership.generation
    if (generation?.id !== stamp.generation || ttlMs < 1 || marks.length > MOST_MARKS_OF_A_VALUE) return
    const all = [EVERYTHING, ...marks].map(mark => field(cache, mark))
    const keys = [this.#logKey(generation), this.#valueKey(generation, cache, key)]
    const args = [stamp.epoch, stamp.seq, String(Math.floor(ttlMs)), JSON.stringify(all), JSON.stringify(value)]
    await this.#run(KEEP, generation, keys, args)
  }

  /** @returns undefined when it is not sure that it was done */
  async forget(generation: Generation, marks: MarksByCache): Promise<Stamp | undefined> {
    const names = [...marks].flatMap(([cache, list]) => list.map(mark => field(cache, mark).slice(1)))
    const args = [fresh(), String(LOG_MS), String(MOST_MARKS), ...names]
    const reply = await this.#run(FORGET, generation, [this.#logKey(generation)], args)
    if (!reply) return undefined
    const [epoch = '', seq = ''] = reply
    return { generation: generation.id, epoch, seq }
  }

  /** Undefined when it was not done: Redis is down, or another one than the generation's. */
  async #run(
    script: string,
    generation: Generation,
    keys: string[],
    args: string[],
  ): Promise<readonly (string | undefined)[] | undefined> {
    const reply = await this.#link.run(script, keys, [generation.server, ...args])
    if (!reply) return undefined
    const [server, ...rest] = reply.map(part => (typeof part === 'string' ? part : undefined))
    this.#server = server
    if (server === undefined) return undefined
    if (server === generation.server) return rest
    this.#meet(generation, server)
    return undefined
  }

  /** Not more often than once a second: two replicas that are led to two servers must not drive each other. */
  #meet(generation: Generation, server: string): void {
    if (performance.now() - this.#met < MEET_MS) return
    this.#met = performance.now()
    this.#generations.meet(generation, server).catch(() => undefined)
  }

  /** The braces keep a generation in one slot of a cluster. Names of caches have no colon, so no two keys are alike. */
  #logKey({ id }: Generation): string {
    return `${this.#prefix}:{${id}}:log`
  }

  #valueKey({ id }: Generation, cache: string, key: string): string {
    return `${this.#prefix}:{${id}}:value:${cache}:${key}`
  }
}

const fresh = () => randomBytes(9).toString('base64url')

/** A mark's field in the log: the letter keeps it apart from the log's own. */
const field = (cache: string, mark: Mark) => `m${cache}:${mark}`

/** What others wrote may be of another version: what is not understood is not there. */
function entryOf(cache: string, value?: string, marks?: string, ttlMs?: number): SharedEntry | undefined {
  if (value === undefined || marks === undefined || !(Number(ttlMs) > 0)) return undefined
  try {
    const fields: unknown = JSON.parse(marks)
    if (!Array.isArray(fields)) return undefined
    const own = fields.map(each => String(each).slice(`m${cache}:`.length)).filter(isMark)
    return { value: JSON.parse(value), marks: own.filter(mark => mark !== EVERYTHING), ttlMs: Number(ttlMs) }
  } catch {
    return undefined
  }
}
