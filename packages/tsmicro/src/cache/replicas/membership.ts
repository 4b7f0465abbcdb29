import { randomUUID } from 'node:crypto'
import { SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import type { BusListener, CacheBus } from './bus.ts'
import { Echo } from './echo.ts'
import { Lease, now } from './lease.ts'
import type { StateLog } from './log.ts'
import type { Generation, RegistryState, ReplicaRegistry } from './registry.ts'
import { Sightings } from './sightings.ts'
import { pause, within } from './wait.ts'

export interface MembershipOptions {
  readonly registry: ReplicaRegistry
  readonly bus: CacheBus
  readonly leaseMs: number
  readonly log: StateLog
  /** Where messages go; its `lost` is called, too. */
  readonly listener: Pick<BusListener, 'heard'>
  /** Called when everything kept so far may be old: before it is trusted anew. */
  readonly forgetAll: () => void
}

const RETRY_MS = 100
const ECHO_MS = 1000
/** Tries, of 100 ms or more, before the first contact is missed: the service may still be connecting. */
const PATIENT_TRIES = 20

/**
 * This process's place among those who cache. It serves while three things hold: the registry has its record, the lease of
 * the last renewal runs, and what is sent over the bus comes back. When one fails it stops at once, gives its place back if it can,
 * and takes a new one under a new id when all three hold again; what it kept until then is forgotten before it serves.
 */
export class Membership {
  /** Of this process: its address on the bus, and the beginning of its ids in the registry. */
  readonly name = randomUUID().replaceAll('-', '')
  readonly lease = new Lease()
  readonly sightings = new Sightings()
  readonly echo: Echo
  readonly #options: MembershipOptions
  readonly #closing = new AbortController()
  #joins = 0
  /** The place that is held, or being taken. */
  #id: string | undefined
  /** Places to be given back. */
  readonly #former = new Set<string>()
  #generation: Generation | undefined
  #running: Promise<void> | undefined

  constructor(options: MembershipOptions) {
    this.#options = options
    this.echo = new Echo(text => options.bus.send(text, this.name))
  }

  /** In whose names to answer: the place that is held or being taken, and those that were and serve nothing any more. */
  get ids(): readonly string[] {
    return [...new Set([...(this.#id === undefined ? [] : [this.#id]), ...this.#former])]
  }

  get generation(): Generation | undefined {
    return this.#generation
  }

  owns(id: string): boolean {
    return id.startsWith(this.name)
  }

  start(): void {
    this.#running ??= this.#run(this.#closing.signal)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#stop()
    // What hangs in a question to the registry is not waited for: its place ends with its lease.
    await within(ECHO_MS, 'the registry', this.#running ?? Promise.resolve()).catch(() => undefined)
    await this.#giveBack()
    this.#options.bus.close()
  }

  /** Takes in what the registry answered to a question. */
  take(state: RegistryState): RegistryState {
    this.sightings.take(state)
    if (state.generation.number > (this.#generation?.number ?? 0)) this.#generation = state.generation
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
        // A renewal that failed may succeed before the lease has ended.
        const lost = expected && !this.lease.valid && !signal.aborted
        if (lost) this.#options.log.bad('the cache is not used, its replicas cannot be reached', error)
      }
      await pause(wait, signal)
    }
  }

  /** False when the place is lost. */
  async #renew(): Promise<boolean> {
    const { registry, leaseMs } = this.#options
    const id = this.#id
    if (id === undefined) return false
    const sent = now()
    const echo = within(ECHO_MS, 'NATS', this.echo.send())
    echo.catch(() => this.#lose(id))
    const [state] = await Promise.all([within(leaseMs, 'the registry', registry.renew(id)), echo])
    if (id !== this.#id || state === undefined || !this.lease.extend(sent, leaseMs)) {
      this.#lose(id)
      return false
    }
    this.take(state)
    this.#sweep(state, sent.monotonic)
    return true
  }

  async #join(): Promise<void> {
    const { registry, bus, leaseMs, listener, forgetAll } = this.#options
    this.#stop()
    bus.listen(this.name, { heard: text => listener.heard(text), lost: () => this.#lose(this.#id) })
    await within(ECHO_MS, 'NATS', this.echo.send())
    const id = `${this.name}_${++this.#joins}`
    const former = [...this.#former]
    this.#former.add(id)
    // From here on others may wait for answers in this name.
    this.#id = id
    const sent = now()
    const state = await within(leaseMs, 'the registry', registry.join(id, leaseMs, former))
    for (const each of former) this.#former.delete(each)
    this.take(state)
    if (this.#id !== id) throw new SERVICE_UNAVAILABLE(undefined, { cause: new Error('NATS was lost meanwhile') })
    this.#former.delete(id)
    forgetAll()
    this.lease.grant(sent, leaseMs)
  }

  #lose(id: string | undefined): void {
    if (id === undefined || id !== this.#id) return
    this.#stop()
    void this.#giveBack()
  }

  /** Nothing is served from here on. */
  #stop(): void {
    this.lease.revoke()
    if (this.#id !== undefined) this.#former.add(this.#id)
    this.#id = undefined
  }

  /** So that nobody waits for our answers. Without it they wait until the lease has ended. */
  async #giveBack(): Promise<void> {
    const ids = [...this.#former]
    if (ids.length === 0) return
    try {
      await within(ECHO_MS, 'the registry', this.#options.registry.leave(ids))
      for (const id of ids) this.#former.delete(id)
    } catch {
      // The next place taken takes these away.
    }
  }

  /** Takes away who ended without a word. */
  #sweep(state: RegistryState, askedAt: number): void {
    for (const [id, { beat }] of state.members) {
      if (!this.owns(id) && this.sightings.ended(id, state, askedAt)) {
        void this.#remove(id, beat)
      }
    }
  }

  async #remove(id: string, beat: number): Promise<void> {
    try {
      await this.#options.registry.remove(id, beat)
    } catch {
      // The next look tries again.
    }
  }
}
