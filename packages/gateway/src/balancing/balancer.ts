import type { HealthChecks, Thresholds } from '../config/model.ts'
import { SlotList, type Slotted } from '../server/slot-list.ts'
import { HealthCounter, type Observation } from './health-counter.ts'
import { RoundRobin } from './round-robin.ts'
import type { Target } from './target.ts'

/** Whoever waits for a target to answer. */
export interface Waiting extends Slotted {
  /** The target answers nobody, not even the checks. */
  onFrozen(): void
}

export interface BalancerOptions {
  readonly targets: readonly Target[]
  /** Absent = the targets always count as healthy. */
  readonly checks?: HealthChecks
  /** Called when a target's state changes. */
  readonly onChange?: (target: Target, healthy: boolean) => void
}

/** Chooses the target of each attempt, and learns from what became of it. Without I/O. */
export class Balancer {
  readonly targets: readonly Target[]
  readonly #checks: HealthChecks | undefined
  readonly #onChange: (target: Target, healthy: boolean) => void
  readonly #health: ReadonlyMap<Target, HealthCounter>
  readonly #order: RoundRobin<Target>
  /** Empty when no check would ever tell that one is frozen. */
  readonly #waiting: ReadonlyMap<Target, SlotList<Waiting>>

  constructor({ targets, checks, onChange = () => {} }: BalancerOptions) {
    this.targets = targets
    this.#checks = checks
    this.#onChange = onChange
    this.#health = new Map(targets.map(target => [target, new HealthCounter()]))
    this.#order = new RoundRobin(targets)
    const tells = (checks?.active.thresholds.timeout ?? 0) > 0
    this.#waiting = new Map(tells ? targets.map(target => [target, new SlotList<Waiting>()]) : [])
  }

  /** The next healthy target, if possible one that was not tried yet. Undefined when there is none to send anything to. */
  pick(tried?: ReadonlySet<Target>): Target | undefined {
    if (!this.#hasEnough()) return undefined
    if (tried !== undefined && tried.size > 0) {
      const fresh = this.#order.next(target => this.isHealthy(target) && !tried.has(target))
      if (fresh !== undefined) return fresh
    }
    return this.#order.next(target => this.isHealthy(target))
  }

  /** Whether there is a healthy target besides those that were tried. */
  hasOther(tried: ReadonlySet<Target>): boolean {
    return this.targets.some(target => target.weight > 0 && this.isHealthy(target) && !tried.has(target))
  }

  /** Those who wait for a target and want to hear when it is frozen; undefined when that is never found out. */
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
      // Not for other failures: who says that he is not ready still finishes what he has, and whose connections break tells it so.
      this.#waiting.get(target)?.visit(waiting => waiting.onFrozen())
  }

  /** Somebody knows better; active checks go on from there. */
  mark(target: Target, healthy: boolean): void {
    if (this.#health.get(target)?.set(healthy)) this.#onChange(target, healthy)
  }

  /** Takes over what another one knows of targets of the same name and address. */
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

  /** Whether that changed the target's state. */
  #observe(target: Target, what: Observation, thresholds: Thresholds): boolean {
    const changed = this.#health.get(target)?.observe(what, thresholds) ?? false
    if (changed) this.#onChange(target, what === 'success')
    return changed
  }
}
