import { type BoundProcedure, type Contract, proceduresOf } from '../contract/index.ts'
import { StartError } from './start-error.ts'

/** Keeps book of which procedures got a handler at which door. */
export class Implemented {
  readonly #doors = { http: new Set<BoundProcedure>(), nats: new Set<BoundProcedure>() }

  /** @throws {StartError} when the door has a handler for it already */
  add(door: 'http' | 'nats', procedure: BoundProcedure): void {
    if (this.#doors[door].has(procedure)) {
      throw new StartError(`${procedure.service}.${procedure.name} has two handlers at the ${door} door: keep one`)
    }
    this.#doors[door].add(procedure)
  }

  /** @throws {StartError} naming every procedure that has a door but no handler, and every one that is in no contract */
  verify(contracts: readonly Contract[]): void {
    const declared = contracts.flatMap(proceduresOf)
    const missing = declared.flatMap(procedure => [
      ...(procedure.http && !this.#doors.http.has(procedure)
        ? [`${procedure.service}.${procedure.name} (${procedure.http})`]
        : []),
      ...(procedure.subject && !this.#doors.nats.has(procedure)
        ? [`${procedure.service}.${procedure.name} (${procedure.subject})`]
        : []),
    ])
    if (missing.length > 0) throw new StartError(`no handler for ${missing.join(', ')}: implement them in a controller`)
    const foreign = [...this.#doors.http].filter(procedure => !declared.includes(procedure))
    if (foreign.length > 0) {
      throw new StartError(`${foreign.map(({ name }) => name).join(', ')}: add the contract to the service's contracts`)
    }
  }
}
