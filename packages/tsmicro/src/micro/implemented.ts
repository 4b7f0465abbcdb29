import { type BoundProcedure, type Contract, proceduresOf } from '../contract/index.ts'
import { StartError } from './start-error.ts'

type Door = 'http' | 'nats'

/** Keeps book of which procedures got a handler at which door, and which addresses are taken. */
export class Implemented {
  readonly #doors = { http: new Map<BoundProcedure, string>(), nats: new Map<BoundProcedure, string>() }
  readonly #addresses = new Map<string, string>()
  readonly #service: string

  /** @param service whose doors these are */
  constructor(service: string) {
    this.#service = service
  }

  /** Takes a route or subject that belongs to no contract. @throws {StartError} when it is taken */
  reserve(address: string, owner: string): void {
    // A parameter's name makes no difference, GET /:id and GET /:slug are one route; nor do two patterns: /:id(\d+).
    const key = address.includes(' /')
      ? address.replaceAll(/:[^/()]+(\([^/]*\))?(?=\/|$)/g, (_, pattern) => (pattern ? ':()' : ':'))
      : address
    const other = this.#addresses.get(key)
    if (other === owner) throw new StartError(`${owner} has two handlers at ${address}: keep one`)
    if (other) throw new StartError(`${owner} and ${other} both want ${address}: change one of them`)
    this.#addresses.set(key, owner)
  }

  /**
   * @throws {StartError} when the procedure has a handler already, another one its address, or another service its subject
   */
  add(door: Door, procedure: BoundProcedure, address: string): void {
    if (door === 'nats' && procedure.service !== this.#service) {
      throw new StartError(
        `${labelOf(procedure)} is a procedure of service ${procedure.service}, and this one is called ${this.#service}: make them one name`,
      )
    }
    this.reserve(address, labelOf(procedure))
    this.#doors[door].set(procedure, address)
  }

  /** Where a procedure is mounted, e.g. `GET /v1/slug/:slug`; `undefined` when it is not. */
  addressOf(door: Door, procedure: BoundProcedure): string | undefined {
    return this.#doors[door].get(procedure)
  }

  /** @throws {StartError} naming every procedure that has a door but no handler */
  verify(contracts: readonly Contract[]): void {
    const declared = new Set(contracts.flatMap(proceduresOf))
    const missing = [...declared].flatMap(procedure => [
      ...(procedure.http && !this.#doors.http.has(procedure) ? [`${labelOf(procedure)} (${procedure.http})`] : []),
      ...(procedure.subject && !this.#doors.nats.has(procedure)
        ? [`${labelOf(procedure)} (${procedure.subject})`]
        : []),
    ])
    if (missing.length === 0) return
    throw new StartError(`no handler for ${missing.join(', ')}: implement them in the module's handlers`)
  }
}

function labelOf({ service, name }: BoundProcedure): string {
  return `${service}.${name}`
}
