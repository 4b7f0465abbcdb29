import type { Doors } from './doors.ts'
import { ageOf, plain, tableOf } from './table.ts'

/** A service's answer to `status`. */
export interface Status {
  readonly service: string
  readonly streams: readonly {
    readonly stream: string
    readonly exists: boolean
    readonly subjects?: readonly string[]
    readonly messages?: number
    readonly first_seq?: number
    readonly last_seq?: number
    readonly oldest?: string
  }[]
  readonly consumers: readonly {
    readonly consumer: string
    readonly stream: string
    readonly lag?: number
    readonly inFlight?: number
    readonly dead: number
    readonly parked: number
    readonly skipped: number
    readonly here: {
      readonly lagMs: number
      readonly overdue: number
      readonly failed: number
      readonly handled: number
      readonly inFlight: number
    }
  }[]
  readonly outboxes: readonly { readonly effect: string; readonly pending: number; readonly oldestMs: number }[]
  readonly announces: readonly string[]
}

/** One of a service's answer to `dead`. */
export interface Letter {
  readonly consumer: string
  readonly type: string
  readonly aggregateId: string
  readonly number?: number
  readonly subject: string
  readonly id: string
  readonly error: string
  readonly tries: number
  readonly time: string
  readonly skipped: boolean
  readonly sequence: number
  readonly source: string
  readonly announced: string
  readonly version: string
  readonly requestId: string
}

/** The dead letters of an aggregate that were not skipped, in their order: it waits for the first. */
export interface Parked {
  readonly name: string
  readonly consumer: string
  readonly type: string
  readonly aggregateId: string
  readonly first: Letter
  readonly letters: number
}

export function statusText(all: readonly Status[]): string {
  const streams = all.flatMap(({ service, streams }) =>
    streams.map(({ stream, exists, messages, first_seq, last_seq, oldest, subjects = [] }) => [
      stream,
      service,
      exists ? messages : undefined,
      exists ? `${first_seq}–${last_seq}` : 'missing',
      oldest === undefined ? undefined : ageOf(Date.now() - Date.parse(oldest)),
      subjects.join(' '),
    ]),
  )
  const consumers = all.flatMap(({ consumers }) =>
    consumers.map(({ consumer, stream, lag, inFlight, dead, parked, skipped, here }) => [
      ...[consumer, stream, lag, inFlight, here.inFlight > 0 ? ageOf(here.lagMs) : undefined],
      ...[here.overdue, here.failed, parked, dead - parked, skipped],
    ]),
  )
  const outboxes = all.flatMap(({ service, outboxes }) =>
    outboxes.map(({ effect, pending, oldestMs }) => [
      service,
      effect,
      pending,
      pending > 0 ? ageOf(oldestMs) : undefined,
    ]),
  )
  return [
    tableOf('Streams', ['stream', 'owner', 'events', 'numbers', 'oldest', 'subjects'], streams),
    tableOf(
      'Consumers',
      [
        'consumer',
        'stream',
        'lag',
        'in flight',
        'oldest',
        'overdue',
        'failed tries',
        'dead',
        'waiting behind',
        'skipped',
      ],
      consumers,
    ),
    tableOf('Outboxes', ['service', 'database', 'to send', 'oldest'], outboxes),
  ].join('')
}

/** All dead letters of a service, skipped ones as well. */
export async function lettersOf(doors: Doors, service: string): Promise<readonly Letter[]> {
  const all: Letter[] = []
  for (let after: number | undefined; ; ) {
    const { letters, next } = await doors.ask<{ letters: readonly Letter[]; next?: number }>(service, 'dead', { after })
    all.push(...letters)
    if (next === undefined) return all
    after = next
  }
}

export function parkedIn(letters: readonly Letter[]): readonly Parked[] {
  const waiting = letters.filter(({ skipped }) => !skipped)
  const groups = Map.groupBy(waiting, ({ consumer, type, aggregateId }) =>
    JSON.stringify([consumer, type, aggregateId]),
  )
  return [...groups.values()].flatMap(group => {
    const [first] = group.toSorted((one, other) => (one.number ?? 0) - (other.number ?? 0))
    return first ? [{ ...first, name: nameOf(first), first, letters: group.length }] : []
  })
}

export function nameOf({ consumer }: Pick<Letter, 'consumer'>): string {
  return consumer.slice(consumer.indexOf('.') + 1)
}

export function deadText(letters: readonly Letter[]): string {
  const parked = parkedIn(letters).map(({ consumer, type, aggregateId, first, letters }) => {
    const { number, subject, tries, time, error, id } = first
    const which = `${consumer}: event ${number ?? '?'} of ${type} ${aggregateId}, ${subject}`
    const behind = letters > 1 ? `; ${letters - 1} more wait behind it` : ''
    const tried = tries > 0 ? `${tries} tries, ` : ''
    return `${plain(which)}\n  ${tried}kept ${plain(time)}${behind}\n  ${plain(error)}\n  id ${plain(id)}\n`
  })
  const skipped = letters.filter(each => each.skipped).map(skippedText)
  return [...parked, ...skipped].join('\n') || 'There are no dead letters.\n'
}

function skippedText({ consumer, number, type, aggregateId, subject, error, id }: Letter): string {
  const which = `${consumer}: event ${number ?? '?'} of ${type} ${aggregateId}, ${subject}, was skipped`
  return `${plain(which)}\n  ${plain(error)}\n  id ${plain(id)}\n`
}

export function letterText(letter: Letter): string {
  const { consumer, subject, type, aggregateId, number, id, source, announced, version, requestId } = letter
  const rows = [
    ['consumer', consumer],
    ['event', subject],
    ['aggregate', `${type} ${aggregateId}`],
    ['number', number === undefined ? 'none' : String(number)],
    ['id', id],
    ['announced', `${announced} by ${source}, version ${version}`],
    ['request', requestId || 'unknown'],
    ['tries', String(letter.tries)],
    ['kept', `${letter.time}${letter.skipped ? ', skipped' : ''}`],
    ['error', letter.error],
  ]
  return rows.map(([label = '', value = '']) => `${label.padEnd(11)}${plain(value)}\n`).join('')
}
