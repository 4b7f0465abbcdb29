import { randomBytes } from 'node:crypto'
import type { Coordinator, Stamp } from '../coordinator.ts'
import type { RedisLayer } from '../redis/layer.ts'
import type { Tag, TagsByCache } from '../tags.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { Invalidator } from './invalidator.ts'
import { Membership } from './membership.ts'
import { decodeMessage, encodeMessage, type Message } from './message.ts'
import type { Generation, RegistryState, ReplicasOptions } from './options.ts'
import { answerWithin, type CacheLog, StateLog } from './servers.ts'

interface ReplicaOptions extends ReplicasOptions {
  /** The caches of this process. */
  readonly caches: {
    invalidate(tags: TagsByCache): void
    invalidateAll(): void
  }
  readonly log?: CacheLog | undefined
}

/**
 * One of several processes whose caches keep the same promise: a value that is read after a change was answered is not older
 * than the change.
 *
 * - A process that serves from memory has a lease, so it is in the registry, and has been since before it read what it serves.
 * - A process that has changed something then reads the registry, notifies all members, and answers when each of them has
 * forgotten or its lease has ended. A process that joined later began to keep values after the change.
 * - Redis is notified before the memories, so that a memory that has forgotten does not get the old state from there again. If
 * that fails, the registry's generation is replaced instead, and with it the name of everything in Redis; a process that has
 * not learned about it by the time of its answer no longer has a lease.
 */
export class Replica implements Coordinator {
  readonly membership: Membership
  shared: RedisLayer | undefined
  readonly #options: ReplicaOptions
  readonly #invalidator: Invalidator
  readonly #acknowledgements = new Map<string, Acknowledgements>()
  readonly #closing = new AbortController()

  constructor(options: ReplicaOptions) {
    const { registry, bus, leaseMs = 3000, caches, log } = options
    this.#options = options
    this.#invalidator = new Invalidator(tags => this.#invalidate(tags))
    this.membership = new Membership({
      ...{ registry, bus, leaseMs, log: new StateLog(log) },
      onMessage: text => this.#receive(text),
      forgetAll: () => caches.invalidateAll(),
    })
  }

  get trusted(): boolean {
    return this.membership.lease.valid
  }

  forget(cache: string, tags: readonly Tag[]): Promise<Stamp | undefined> {
    return this.#invalidator.invalidate(cache, tags)
  }

  /** Begins a new generation, on another Redis process than the old one's: then everything in Redis is useless. */
  async replaceGeneration({ number }: Generation, server: string): Promise<RegistryState> {
    const id = randomBytes(12).toString('hex')
    return this.membership.observe(await this.#options.registry.replaceGeneration(number, { id, server }))
  }

  async close(): Promise<void> {
    await this.#invalidator.close()
    this.#closing.abort()
    await this.membership.close()
  }

  async #invalidate(tags: TagsByCache): Promise<Stamp | undefined> {
    const { registry, bus, caches, limitMs = 8000 } = this.#options
    const { membership } = this
    const began = performance.now()
    const { state, stamp } = await answerWithin(limitMs, 'the registry', this.#invalidateShared(tags))
    const left = limitMs - (performance.now() - began)
    // Drops what this process has taken from Redis in the meantime.
    if (state.generation.server !== '') caches.invalidate(tags)
    const options = { registry, bus, membership, limitMs: left, signal: this.#closing.signal }
    const acknowledgements = new Acknowledgements(options, state, tags)
    this.#acknowledgements.set(acknowledgements.id, acknowledgements)
    try {
      await acknowledgements.collect()
    } finally {
      this.#acknowledgements.delete(acknowledgements.id)
    }
    return stamp
  }

  async #invalidateShared(tags: TagsByCache): Promise<{ state: RegistryState; stamp: Stamp | undefined }> {
    const { registry } = this.#options
    const known = this.membership.generation
    // Both happen after the change; usually the known generation is still the current one.
    const [read, early] = await Promise.all([registry.read(), known && this.shared?.forget(known, tags)])
    const { generation } = this.membership.observe(read)
    const stamp = generation.number === known?.number ? early : await this.shared?.forget(generation, tags)
    if (stamp || generation.server === '') return { state: read, stamp }
    const server = this.shared?.server ?? generation.server
    return { state: await this.replaceGeneration(generation, server), stamp: undefined }
  }

  #receive(text: string): void {
    const message = decodeMessage(text)
    if (message === undefined) return
    if (message.type === 'echo') this.membership.echo.heard(message.nonce)
    else if (message.type === 'done') this.#acknowledgements.get(message.round)?.done(message.member)
    else if (message.from !== this.membership.name) this.#forgetFor(message).catch(() => undefined)
  }

  /** Without our answer, the sender waits until our lease has ended. */
  async #forgetFor({ round, from, generation, marks }: Message & { type: 'forget' }): Promise<void> {
    const { registry, caches, bus } = this.#options
    // A generation is not taken from a message: a forged number would lead us to where no invalidation arrives.
    if (generation > (this.membership.generation?.number ?? 0)) this.membership.observe(await registry.read())
    if (generation > (this.membership.generation?.number ?? 0)) return
    caches.invalidate(marks)
    for (const member of this.membership.ids) bus.send(encodeMessage({ type: 'done', round, member }), from)
  }
}
