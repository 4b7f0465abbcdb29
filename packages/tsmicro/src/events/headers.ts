import { randomUUID } from 'node:crypto'
import type { MsgHdrs } from '@nats-io/nats-core'
import { MsgHdrsImpl } from '@nats-io/nats-core/internal'
import type { EventDefinition } from '../contract/index.ts'

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
  /** Version that it was announced with. A handler gets the data in the shape of the version that its service knows. */
  readonly version: number
  /** When it happened, ISO 8601 in UTC. */
  readonly time: string
  readonly aggregateId: string
  /** Counts the changes of the aggregate; a consumer never lets a lower one overwrite a higher one. */
  readonly aggregateSequence: number | undefined
  /** The lowest number that can still be expected of the aggregate. Undefined = 1. */
  readonly aggregateFirst?: number | undefined
}

/** Headers as they arrive, names in lower case. */
export type SentHeaders = Readonly<Record<string, string | undefined>>

/** Where an event stands among those of its aggregate. */
export interface Place {
  readonly aggregateId: string
  /** Counts the aggregate's events over all its subjects; undefined if it was published without a number. */
  readonly number: number | undefined
  /** No lower number can be expected. */
  readonly first: number
}

/**
 * With some events: aggregates whose last one was sent before this time (ISO 8601) are forgotten by their source. As headers are read.
 */
export const FORGOTTEN = 'tsmicro-forgotten'

/** What every event has, beside its number. */
const REQUIRED = ['ce-specversion', 'ce-id', 'ce-type', 'ce-source', 'ce-time', 'ce-aggregateid'] as const

/** Undefined for a message that lacks an attribute that every event has: nothing about its order is guessed. */
export function placeOf(sent: SentHeaders): Place | undefined {
  if (REQUIRED.some(name => !sent[name])) return undefined
  const number = count(sent['ce-aggregatesequence'])
  return {
    aggregateId: decodeValue(sent['ce-aggregateid'] ?? ''),
    number: number === 0 ? undefined : number,
    first: count(sent['ce-aggregatefirst']) ?? 1,
  }
}

/** @param context more header fields, such as the request id: names and values without line breaks */
export function encodeAttributes(event: EventAttributes, context: Readonly<Record<string, string>> = {}): MsgHdrs {
  const { id, type, source, time, version, aggregateId, aggregateSequence: sequence, aggregateFirst: first = 1 } = event
  const encodedId = encodeValue(id)
  // Setting one after the other would compare each name with all before it.
  const fields: Record<string, string[]> = {
    'Nats-Msg-Id': [encodedId],
    'ce-specversion': ['1.0'],
    'ce-id': [encodedId],
    'ce-type': [encodeValue(type)],
    'ce-source': [encodeValue(source)],
    'ce-time': [encodeValue(time)],
    'ce-dataversion': [String(version)],
    'ce-aggregateid': [encodeValue(aggregateId)],
  }
  if (sequence !== undefined) fields['ce-aggregatesequence'] = [String(sequence)]
  if (first > 1) fields['ce-aggregatefirst'] = [String(first)]
  for (const [name, value] of Object.entries(context)) fields[name] = [value]
  return MsgHdrsImpl.fromRecord(fields)
}

/**
 * Reads the attributes from headers with lower-case names. A plain publisher (a Go service) may send none, or unreadable ones: missing
 * attributes are derived from the event's declaration and its data.
 */
export function decodeAttributes(
  sent: SentHeaders,
  { subject, version, aggregate }: EventDefinition,
  data: unknown,
): EventAttributes {
  const text = (name: string) => (sent[name] ? decodeValue(sent[name]) : undefined)
  return {
    id: text('ce-id') ?? text('nats-msg-id') ?? randomUUID(),
    type: text('ce-type') ?? subject,
    source: text('ce-source') ?? 'unknown',
    version: announcedVersion(sent) ?? version,
    time: text('ce-time') ?? new Date().toISOString(),
    aggregateId: text('ce-aggregateid') ?? String((data as Record<string, unknown>)[aggregate]),
    aggregateSequence: count(sent['ce-aggregatesequence']),
  }
}

/** The version that an event was announced with. */
export function announcedVersion(sent: SentHeaders): number | undefined {
  return count(sent['ce-dataversion'])
}

const PLAIN = /^[\x21\x23\x24\x26-\x7e]*$/

/** Percent-encodes as the binding requires: everything except printable ASCII, and also blanks, `"` and `%`. */
export function encodeValue(value: string): string {
  if (PLAIN.test(value)) return value
  return value.toWellFormed().replace(/[^\x21\x23\x24\x26-\x7e]/gu, encodeURIComponent)
}

export function decodeValue(value: string): string {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function count(value: string | undefined): number | undefined {
  const number = Number(value || Number.NaN)
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined
}
