import { randomBytes } from 'node:crypto'
import type { Mark, MarksByCache } from '../marks.ts'
import type { Reach, Stamp } from '../reach.ts'
import type { RedisLayer } from '../redis/layer.ts'
import { Announcer } from './announcer.ts'
import { type CacheLog, StateLog } from './log.ts'
import { Membership } from './membership.ts'
import { decodeMessage, encodeMessage, type Message } from './message.ts'
import type { ReplicasOptions } from './options.ts'
import type { Generation, RegistryState } from './registry.ts'
import { Round } from './round.ts'
import { within } from './wait.ts'

/** The caches of this process. */
interface Holder {
  invalidate(marks: MarksByCache): void
  invalidateAll(): void
}

export interface ReplicaOptions extends ReplicasOptions {
  readonly holder: Holder
  readonly log?: CacheLog | undefined
}

/**
 * One of several processes whose caches keep one promise: what is read after a change was answered is not older than it.
 *
 * - Whoever serves from memory has a lease, so it is in the registry, and has been since before whatever it serves was read.
 * - Whoever has changed something reads the registry afterwards, tells everybody in it, and answers when each has forgotten
 *   or its lease has ended. Who joined later began to keep things after the change.
 * - Redis is told before memories are, so that no memory that has forgotten gets the old state from there again. Where
 *   it cannot be told, the registry's generation is replaced instead, and with it the name of everything in Redis; those who
 *   have not learned that by their answer have no lease any more.
 */
export class Replica implements Reach {
  readonly membership: Membership
  shared: RedisLayer | undefined
  readonly #options: ReplicaOptions
  readonly #announcer: Announcer
  readonly #rounds = new Map<string, Round>()
  readonly #closing = new AbortController()

  constructor(options: ReplicaOptions) {
    const { registry, bus, leaseMs = 3000, holder, log } = options
    this.#options = options
    this.#announcer = new Announcer(marks => this.#tell(marks))
    this.membership = new Membership({
      ...{ registry, bus, leaseMs, log: new StateLog(log) },
      listener: { heard: text => this.#heard(text) },
      forgetAll: () => holder.invalidateAll(),
    })
  }

  get trusted(): boolean {
    return this.membership.lease.valid
  }

  forget(cache: string, marks: readonly Mark[]): Promise<Stamp | undefined> {
    return this.#announcer.announce(cache, marks)
  }

  /** Another Redis process than the generation's was met: everything in it is of no use, so a new generation begins. */
  async meet(generation: Generation, server: string): Promise<void> {
    await this.#replace(generation, server)
  }

  async close(): Promise<void> {
    await this.#announcer.close()
    this.#closing.abort()
    await this.membership.close()
  }

  async #tell(marks: MarksByCache): Promise<Stamp | undefined> {
    const { registry, bus, holder, limitMs = 8000 } = this.#options
    const { membership } = this
    const began = performance.now()
    const { state, stamp } = await within(limitMs, 'the registry', this.#tellRedis(marks))
    const left = limitMs - (performance.now() - began)
    // Whatever this process took from Redis meanwhile.
    if (state.generation.server !== '') holder.invalidate(marks)
    const round = new Round({ registry, bus, membership, limitMs: left, signal: this.#closing.signal }, state, marks)
    this.#rounds.set(round.id, round)
    try {
      await round.settle()
    } finally {
      this.#rounds.delete(round.id)
    }
    return stamp
  }

  async #tellRedis(marks: MarksByCache): Promise<{ state: RegistryState; stamp: Stamp | undefined }> {
    const { registry } = this.#options
    const known = this.membership.generation
    // Both after the change; mostly the known generation is the one that counts.
    const [read, early] = await Promise.all([registry.read(), known && this.shared?.forget(known, marks)])
    const { generation } = this.membership.take(read)
    const stamp = generation.number === known?.number ? early : await this.shared?.forget(generation, marks)
    if (stamp || generation.server === '') return { state: read, stamp }
    return { state: await this.#replace(generation, this.shared?.server ?? generation.server), stamp: undefined }
  }

  async #replace({ number }: Generation, server: string): Promise<RegistryState> {
    const id = randomBytes(12).toString('hex')
    return this.membership.take(await this.#options.registry.replaceGeneration(number, { id, server }))
  }

  #heard(text: string): void {
    const message = decodeMessage(text)
    if (message === undefined) return
    if (message.type === 'echo') this.membership.echo.heard(message.nonce)
    else if (message.type === 'done') this.#rounds.get(message.round)?.done(message.member)
    else if (message.from !== this.membership.name) this.#forgetFor(message).catch(() => undefined)
  }

  /** Without an answer, the sender waits for our lease to end. */
  async #forgetFor({ round, from, generation, marks }: Message & { type: 'forget' }): Promise<void> {
    const { registry, holder, bus } = this.#options
    // A generation is not taken from a message: a number made up would lead us where no invalidation comes.
    if (generation > (this.membership.generation?.number ?? 0)) this.membership.take(await registry.read())
    if (generation > (this.membership.generation?.number ?? 0)) return
    holder.invalidate(marks)
    for (const member of this.membership.ids) bus.send(encodeMessage({ type: 'done', round, member }), from)
  }
}
