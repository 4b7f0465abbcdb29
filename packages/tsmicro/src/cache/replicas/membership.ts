import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { Lease, LeaseObserver, now } from './lease.ts'
import { encodeMessage } from './message.ts'
import type { BusListener, CacheBus, Generation, RegistryState, ReplicaRegistry } from './options.ts'
import { answerWithin, type StateLog } from './servers.ts'

interface MembershipOptions {
  readonly registry: ReplicaRegistry
  readonly bus: CacheBus
  readonly leaseMs: number
  readonly log: StateLog
  /** Receives the messages of the bus. */
  readonly onMessage: BusListener['heard']
  /** Drops everything kept so far, as it may be stale; called before the cache is trusted again. */
  readonly forgetAll: () => void
}

const RETRY_MS = 100
const ECHO_MS = 1000
/** Attempts, of 100 ms or more, before a missing first contact is logged: the service may still be connecting. */
const PATIENT_TRIES = 20

/**
 * This process's membership in the group that caches. It serves while three things hold: the registry has its record, the lease
 * of the last renewal is valid, and its own messages come back over the bus. If one fails it stops at once and leaves the group
 * if it can. It joins again under a new id once all three hold, and drops what it kept until then before it serves.
 */
export class Membership {
  /** Of this process: its address on the bus, and the prefix of its ids in the registry. */
  readonly name = randomUUID().replaceAll('-', '')
  readonly lease = new Lease()
  readonly others = new LeaseObserver()
  readonly echo: Echo
  /** The highest one that is known. */
  generation: Generation | undefined
  readonly #options: MembershipOptions
  readonly #closing = new AbortController()
  #joins = 0
  /** The id under which we are a member, or about to become one. */
  #id: string | undefined
  /** Ids that are to be removed from the registry. */
  readonly #former = new Set<string>()
  #running: Promise<void> | undefined

  constructor(options: MembershipOptions) {
    this.#options = options
    this.echo = new Echo(text => options.bus.send(text, this.name))
  }

  /** The ids to answer for: the current one, and former ones, which no longer serve anything. */
  get ids(): readonly string[] {
    return [...new Set([...(this.#id === undefined ? [] : [this.#id]), ...this.#former])]
  }

  owns(id: string): boolean {
    return id.startsWith(this.name)
  }

  start(): void {
    this.#running ??= this.#run(this.#closing.signal)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#stopServing()
    // A hanging request to the registry is not waited for: the membership ends with its lease.
    await answerWithin(ECHO_MS, 'the registry', this.#running ?? Promise.resolve()).catch(() => undefined)
    await this.#leave()
    this.#options.bus.close()
  }

  /** Records an answer of the registry. */
  observe(state: RegistryState): RegistryState {
    this.others.observe(state)
    if (state.generation.number > (this.generation?.number ?? 0)) this.generation = state.generation
    return state
  }

  async #run(signal: AbortSignal): Promise<void> {
    let expected = false
    let failures = 0
    while (!signal.aborted) {
      let wait = this.#options.leaseMs / 3
      try {
        if (!(this.lease.valid && (await this.#renew()))) await this.#join()
        expected = true
        this.#options.log.good('the cache is shared with its replicas')
      } catch (error) {
        wait = RETRY_MS
        expected ||= ++failures >= PATIENT_TRIES
        // A failed renewal may still succeed before the lease ends.
        const lost = expected && !this.lease.valid && !signal.aborted
        if (lost) this.#options.log.bad('the cache is not used, its replicas cannot be reached', error)
      }
      await sleep(wait, undefined, { signal }).catch(() => undefined)
    }
  }

  /** False if the membership is lost. */
  async #renew(): Promise<boolean> {
    const { registry, leaseMs } = this.#options
    const id = this.#id
    if (id === undefined) return false
    const sent = now()
    const echo = answerWithin(ECHO_MS, 'NATS', this.echo.send())
    echo.catch(() => this.#lose(id))
    const [state] = await Promise.all([answerWithin(leaseMs, 'the registry', registry.renew(id)), echo])
    if (id !== this.#id || state === undefined || !this.lease.extend(sent, leaseMs)) {
      this.#lose(id)
      return false
    }
    this.observe(state)
    this.#removeEnded(state, sent.monotonic)
    return true
  }

  async #join(): Promise<void> {
    const { registry, bus, leaseMs, onMessage, forgetAll } = this.#options
    this.#stopServing()
    bus.listen(this.name, { heard: onMessage, lost: () => this.#lose(this.#id) })
    await answerWithin(ECHO_MS, 'NATS', this.echo.send())
    const id = `${this.name}_${++this.#joins}`
    const former = [...this.#former]
    this.#former.add(id)
    // From here on, others may wait for answers under this id.
    this.#id = id
    const sent = now()
    const state = await answerWithin(leaseMs, 'the registry', registry.join(id, leaseMs, former))
    for (const each of former) this.#former.delete(each)
    this.observe(state)
    if (this.#id !== id) throw new SERVICE_UNAVAILABLE(undefined, { cause: new Error('NATS was lost meanwhile') })
    this.#former.delete(id)
    forgetAll()
    this.lease.grant(sent, leaseMs)
  }

  #lose(id: string | undefined): void {
    if (id === undefined || id !== this.#id) return
    this.#stopServing()
    void this.#leave()
  }

  #stopServing(): void {
    this.lease.revoke()
    if (this.#id !== undefined) this.#former.add(this.#id)
    this.#id = undefined
  }

  /** Spares others the wait for our answers, which would otherwise last until the lease has ended. */
  async #leave(): Promise<void> {
    const ids = [...this.#former]
    if (ids.length === 0) return
    try {
      await answerWithin(ECHO_MS, 'the registry', this.#options.registry.leave(ids))
      for (const id of ids) this.#former.delete(id)
    } catch {
      // The next join removes them.
    }
  }

  /** Removes members that ended without leaving. */
  #removeEnded(state: RegistryState, askedAt: number): void {
    for (const [id, { beat }] of state.members) {
      if (this.owns(id) || !this.others.hasEnded(id, state, askedAt)) continue
      // If it fails, the next renewal tries again.
      void (async () => this.#options.registry.remove(id, beat))().catch(() => undefined)
    }
  }
}

/** Checks whether messages get through: what we send to ourselves has to come back. */
class Echo {
  readonly #send: (text: string) => void
  readonly #waiting = new Map<string, () => void>()

  /** @param send sends to ourselves; throws if it cannot */
  constructor(send: (text: string) => void) {
    this.#send = send
  }

  /** Resolves when the message is back; the caller limits the time. */
  async send(): Promise<void> {
    // Nobody waits for echoes that did not come back in time.
    if (this.#waiting.size > 10) this.#waiting.clear()
    const nonce = randomUUID()
    await new Promise<void>(resolve => {
      this.#waiting.set(nonce, resolve)
      this.#send(encodeMessage({ type: 'echo', nonce }))
    })
  }

  heard(nonce: string): void {
    this.#waiting.get(nonce)?.()
    this.#waiting.delete(nonce)
  }
}
