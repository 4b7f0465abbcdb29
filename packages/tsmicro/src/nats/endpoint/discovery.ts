import { createHash } from 'node:crypto'
import type { Msg } from '@nats-io/nats-core'
import { type BoundProcedure, isStream, jsonOfOutput, kindOfBody } from '../../contract/index.ts'
import { describeSchema } from '../../schema/index.ts'
import type { Wanted } from '../subscriptions.ts'
import type { Endpoint } from './endpoint.ts'

export const QUEUE_GROUP = 'q'

export interface ServiceIdentity {
  readonly name: string
  /** Semantic version. */
  readonly version: string
  readonly description?: string
}

interface InstanceIdentity extends Required<ServiceIdentity> {
  /** Unique for this instance. */
  readonly id: string
  readonly started: Date
}

const VERBS = ['PING', 'INFO', 'STATS'] as const
type Verb = (typeof VERBS)[number]

/**
 * Answers `$SRV.PING|INFO|STATS` for all services, for this one by name, and for this instance by id, so that
 * `nats micro ls|info|stats` shows it.
 * @see https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-32.md
 */
export function announcements(
  identity: InstanceIdentity,
  endpoints: readonly Endpoint[],
  respond: (msg: Msg, body: string) => void,
): Wanted[] {
  return VERBS.flatMap(verb => {
    const subjects = [`$SRV.${verb}`, `$SRV.${verb}.${identity.name}`, `$SRV.${verb}.${identity.name}.${identity.id}`]
    const take = (msg: Msg) => respond(msg, JSON.stringify(describe(verb, identity, endpoints)))
    return subjects.map(subject => ({ subject, take, optional: true }))
  })
}

function describe(
  verb: Verb,
  { started, description, ...identity }: InstanceIdentity,
  endpoints: readonly Endpoint[],
): object {
  const base = { type: `io.nats.micro.v1.${verb.toLowerCase()}_response`, ...identity, metadata: {} }
  if (verb === 'PING') return base
  if (verb === 'INFO') {
    const described = endpoints.map(({ procedure, flows }) => ({
      ...nameOf(procedure),
      metadata: { 'tsmicro.schema': schemaHash(procedure), [flows ? 'tsmicro.stream' : 'tsmicro.batch']: '1' },
    }))
    return { ...base, description, endpoints: described }
  }
  const counted = endpoints.map(({ procedure, stats }) => ({
    ...nameOf(procedure),
    ...stats,
    average_processing_time: Math.round(stats.processing_time / Math.max(1, stats.num_requests)),
  }))
  return { ...base, started: started.toISOString(), endpoints: counted }
}

function nameOf(procedure: BoundProcedure) {
  // ADR-32 allows letters, digits, - and _; an endpoint without a contract is named after its dotted subject.
  return { name: procedure.name.replaceAll('.', '-'), subject: procedure.subject, queue_group: QUEUE_GROUP }
}

/** First 16 hex digits of SHA-256 over the schemas of input and output: shows whether two instances have the same contract. */
function schemaHash({ input, output: declared }: BoundProcedure): string {
  const kind = kindOfBody(declared)
  const output = isStream(declared) ? declared.item : jsonOfOutput(declared)
  // These keys must never change: older instances would seem to have a different contract.
  const described = {
    request: input && describeSchema(input),
    response: output && describeSchema(output),
    ...(kind ? { kind } : {}),
  }
  return createHash('sha256').update(JSON.stringify(described)).digest('hex').slice(0, 16)
}
