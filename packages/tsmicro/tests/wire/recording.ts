import { readFileSync } from 'node:fs'
import type { Message } from './protocol.ts'

/** How a call ended. */
export interface Told {
  readonly value?: unknown
  readonly error?: Readonly<Record<string, unknown>>
}

/** One step of a client, or one probe, as seen on the wire. */
export interface Exchange {
  readonly name: string
  /** What the client published. */
  readonly sent: readonly Message[]
  /** What the service published. */
  readonly answered: readonly Message[]
  /** What the service's handlers were given. */
  readonly handled: readonly unknown[]
  /** The outcomes for the client's caller; none for a probe. */
  readonly outcomes?: readonly Told[]
}

/** Made by `record.ts`, from the version that it names. */
export interface Recording {
  readonly commit: string
  /** What the service listens on, with its queue group. */
  readonly subscriptions: readonly { readonly subject: string; readonly queue?: string }[]
  readonly probes: readonly Exchange[]
  readonly steps: readonly Exchange[]
}

export const RECORDED_NATS = new URL('recorded/nats.json', import.meta.url)

export const readRecording = (): Recording => JSON.parse(readFileSync(RECORDED_NATS, 'utf8')) as Recording

/** As it is written to the file, so that two can be compared: undefined fields are absent. */
export const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** The outcomes of calls. The text of a failed check is for the log, and does not travel. */
export async function outcomesOf(calls: readonly Promise<unknown>[]): Promise<readonly Told[]> {
  const settled = await Promise.allSettled(calls)
  return settled.map(
    each =>
      plain(each.status === 'fulfilled' ? { value: tagged(each.value) } : { error: errorOf(each.reason) }) as Told,
  )
}

function tagged(value: unknown): unknown {
  if (value instanceof Date) return { $date: value.toISOString() }
  if (Array.isArray(value)) return value.map(tagged)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, tagged(member)]))
}

function errorOf(reason: unknown): object {
  const { code, status, data, message, retryAfterSeconds } = reason as Record<string, unknown>
  return { code, status, data, retryAfterSeconds, ...(code === 'VALIDATION_FAILED' ? {} : { message }) }
}
