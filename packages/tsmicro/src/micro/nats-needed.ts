import { type Contract, eventsOf, proceduresOf } from '../contract/index.ts'
import type { Module } from './module.ts'
import type { Reaction } from './on.ts'
import { StartError } from './start-error.ts'

/** @throws {StartError} naming what a module without `nats` cannot do without it */
export function assertNats(module: Module, implemented: Iterable<Contract>, reactions: readonly Reaction[]): void {
  if (module.nats) return
  const { calls = [], publishes = [] } = module
  const needing = [
    ...subjectsOf([...implemented]).map(subject => `serve ${subject}`),
    ...reactions.map(({ event, name }) => `handle ${event.subject} (${name})`),
    ...subjectsOf(calls).map(subject => `call ${subject}`),
    ...publishes.flatMap(eventsOf).map(({ subject }) => `publish ${subject}`),
  ]
  if (needing.length > 0) throw new StartError(`give the module nats: without it nobody can ${needing.join(', ')}`)
}

function subjectsOf(contracts: readonly Contract[]): readonly string[] {
  return contracts.flatMap(proceduresOf).flatMap(({ subject }) => (subject === undefined ? [] : [subject]))
}
