import { headers, type MsgHdrs } from '@nats-io/nats-core'

/**
 * Attributes of an event in headers, the data alone in the body: CloudEvents 1.0 in NATS binary mode, with the extension
 * attributes `aggregateid` and `aggregatesequence`. `Nats-Msg-Id` lets JetStream drop duplicates.
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md
 */
export interface EventAttributes {
  /** Unique for this event; the same on every delivery. */
  readonly id: string
  /** The event's subject, e.g. `user.created`. */
  readonly type: string
  /** Name of the announcing service. */
  readonly source: string
  /** Version of the data's shape. */
  readonly version: number
  /** When it happened, ISO 8601 in UTC. */
  readonly time: string
  readonly aggregateId: string
  /** Counts the changes of the aggregate; a consumer never lets a lower one overwrite a higher one. */
  readonly aggregateSequence: number | undefined
}

export function encodeAttributes(event: EventAttributes): MsgHdrs {
  const made = headers()
  made.set('Nats-Msg-Id', event.id)
  made.set('ce-specversion', '1.0')
  made.set('ce-id', event.id)
  made.set('ce-type', event.type)
  made.set('ce-source', event.source)
  made.set('ce-time', event.time)
  made.set('ce-dataversion', String(event.version))
  made.set('ce-aggregateid', event.aggregateId)
  if (event.aggregateSequence !== undefined) made.set('ce-aggregatesequence', String(event.aggregateSequence))
  return made
}

/** Reads the attributes; a plain publisher (a Go service) may send none, then they are taken from what is known. */
export function decodeAttributes(sent: MsgHdrs | undefined, known: EventAttributes): EventAttributes {
  const get = (name: string) => sent?.get(name) || undefined
  const sequence = get('ce-aggregatesequence')
  return {
    id: get('ce-id') ?? get('Nats-Msg-Id') ?? known.id,
    type: get('ce-type') ?? known.type,
    source: get('ce-source') ?? known.source,
    version: Number(get('ce-dataversion') ?? known.version),
    time: get('ce-time') ?? known.time,
    aggregateId: get('ce-aggregateid') ?? known.aggregateId,
    aggregateSequence: sequence === undefined ? known.aggregateSequence : Number(sequence),
  }
}
