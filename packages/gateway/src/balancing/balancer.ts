import type { HealthChecks, Thresholds } from '../config/model.ts'
import { SlotList, type Slotted } from '../server/slot-list.ts'

/** An address that requests may go to. */
export interface Target {
  /** `host:port` as in the config. */
  readonly name: string
  /** `address:port` to connect to. */
  readonly address: string
  /** The Host header: by default the configured name, whatever address it was resolved to. */
  readonly hostHeader: string
  readonly weight: number
}

/** A request that waits for a target to answer. */
export interface Waiting extends Slotted {
  /** Called when the target answers nothing at all, not even the checks. */
  onFrozen(): void
}

export interface BalancerOptions {
  readonly targets: readonly Target[]
  /** Absent: the targets always count as healthy. */
  readonly checks?: HealthChecks
  /** Called when a target's state changes. */
  readonly onChange?: (target: Target, healthy: boolean) => void
}

/** Chooses the target of each attempt, and learns from the outcomes. Does no I/O. */
export class Balancer {
  readonly targets: readonly Target[]
  readonly #checks: HealthChecks | undefined
  readonly #onChange: (target: Target, healthy: boolean) => void
  readonly #health: ReadonlyMap<Target, HealthCounter>
  readonly #order: RoundRobin<Target>
  /** Empty if no check could ever find a target frozen. */
  readonly #waiting: ReadonlyMap<Target, SlotList<Waiting>>

  constructor({ targets, checks, onChange = () => {} }: BalancerOptions) {
    this.targets = targets
    this.#checks = checks
    this.#onChange = onChange
    this.#health = new Map(targets.map(target => [target, new HealthCounter()]))
    this.#order = new RoundRobin(targets)
    const detectsFrozen = (checks?.active.thresholds.timeout ?? 0) > 0
    this.#waiting = new Map(detectsFrozen ? targets.map(target => [target, new SlotList<Waiting>()]) : [])
  }

  /** Returns the next healthy target, if possible one that has not been tried yet; undefined if no target may get requests. */
  pick(tried?: ReadonlySet<Target>): Target | undefined {
    if (!this.#hasEnough()) return undefined
    if (tried !== undefined && tried.size > 0) {
      const fresh = this.#order.next(target => this.isHealthy(target) && !tried.has(target))
      if (fresh !== undefined) return fresh
    }
    return this.#order.next(target => this.isHealthy(target))
  }

  /** Whether there is a healthy target that has not been tried yet. */
  hasOther(tried: ReadonlySet<Target>): boolean {
    return this.targets.some(target => target.weight > 0 && this.isHealthy(target) && !tried.has(target))
  }

  /** The requests that wait for a target, to be told if it is frozen. Undefined if no check can find that out. */
  waitingFor(target: Target): SlotList<Waiting> | undefined {
    return this.#waiting.get(target)
  }

  isHealthy(target: Target): boolean {
    return this.#health.get(target)?.healthy ?? false
  }

  /** A request was answered. */
  answered(target: Target, status: number): void {
    if (this.#checks !== undefined) this.#observeStatus(target, status, this.#checks.passive)
  }

  /** A request was not answered. */
  failed(target: Target, how: 'tcpFailure' | 'timeout'): void {
    if (this.#checks !== undefined) this.#observe(target, how, this.#checks.passive)
  }

  /** An active check ended: with a status or without. */
  checked(target: Target, outcome: number | 'tcpFailure' | 'timeout'): void {
    const thresholds = this.#checks?.active.thresholds
    if (thresholds === undefined) return
    if (typeof outcome === 'number') this.#observeStatus(target, outcome, thresholds)
    else if (this.#observe(target, outcome, thresholds) && outcome === 'timeout')
      // After other failures, requests go on: a target that is not ready still finishes its work, and broken connections report themselves.
      this.#waiting.get(target)?.visit(waiting => waiting.onFrozen())
  }

  /** Sets a target's state by hand. Active checks continue from there. */
  mark(target: Target, healthy: boolean): void {
    if (this.#health.get(target)?.set(healthy)) this.#onChange(target, healthy)
  }

  /** Takes over the state of another balancer's targets that have the same name and address. */
  inherit(previous: Balancer): void {
    for (const target of this.targets) {
      const known = previous.targets.find(({ name, address }) => name === target.name && address === target.address)
      if (known !== undefined) this.#health.get(target)?.set(previous.isHealthy(known))
    }
  }

  #hasEnough(): boolean {
    const { threshold = 0 } = this.#checks ?? {}
    if (threshold === 0) return true
    const sum = (targets: readonly Target[]) => targets.reduce((total, { weight }) => total + weight, 0)
    return sum(this.targets.filter(target => this.isHealthy(target))) * 100 >= threshold * sum(this.targets)
  }

  #observeStatus(target: Target, status: number, thresholds: Thresholds): void {
    if (thresholds.healthyStatuses.has(status)) this.#observe(target, 'success', thresholds)
    else if (thresholds.unhealthyStatuses.has(status)) this.#observe(target, 'httpFailure', thresholds)
  }

  /** Returns whether this changed the target's state. */
  #observe(target: Target, what: Observation, thresholds: Thresholds): boolean {
    const changed = this.#health.get(target)?.observe(what, thresholds) ?? false
    if (changed) this.#onChange(target, what === 'success')
    return changed
  }
}

/** An observation of a target. */
export type Observation = 'success' | 'httpFailure' | 'tcpFailure' | 'timeout'

/** How many observations in a row change the state; 0 for never. */
type Limits = Readonly<Record<Observation, number>>

/**
 * Decides whether a target is healthy, as Kong does. Each kind of failure has its own counter. A success resets the counters of
 * all failures, and a failure resets that of the successes.
 */
export class HealthCounter {
  #healthy = true
  #counts = { ...NONE }

  get healthy(): boolean {
    return this.#healthy
  }

  /** Returns whether the state changed. */
  observe(what: Observation, limits: Limits): boolean {
    const limit = limits[what]
    if (limit === 0) return false
    const count = this.#counts[what] + 1
    if (what === 'success') this.#counts = { ...NONE, success: count }
    else this.#counts = { ...this.#counts, success: 0, [what]: count }
    return count >= limit && this.set(what === 'success')
  }

  /** Sets the state, and resets the counters if it changed. Returns whether it changed. */
  set(healthy: boolean): boolean {
    const changed = healthy !== this.#healthy
    this.#healthy = healthy
    if (changed) this.#counts = { ...NONE }
    return changed
  }
}

const NONE = { success: 0, httpFailure: 0, tcpFailure: 0, timeout: 0 }

/**
 * Weighted round robin: in any `sum of weights / gcd` picks in a row, each item gets its share. Kong shuffles the order. Here the
 * items are spread as evenly as possible (nginx's smooth algorithm), so that tests can predict the next one.
 */
export class RoundRobin<T extends { readonly weight: number }> {
  readonly #places: { readonly item: T; credit: number }[]

  constructor(items: readonly T[]) {
    this.#places = items.filter(({ weight }) => weight > 0).map(item => ({ item, credit: 0 }))
  }

  /** Returns the next usable item. */
  next(isUsable: (item: T) => boolean): T | undefined {
    let best: { readonly item: T; credit: number } | undefined
    let total = 0
    for (const place of this.#places) {
      if (!isUsable(place.item)) continue
      place.credit += place.item.weight
      total += place.item.weight
      if (best === undefined || place.credit > best.credit) best = place
    }
    if (best !== undefined) best.credit -= total
    return best?.item
  }
}
