import { setTimeout as sleep } from 'node:timers/promises'
import { CliError } from '../errors.ts'
import type { EventsArguments } from './arguments.ts'
import type { Doors } from './doors.ts'
import { type Letter, lettersOf, nameOf, parkedIn, type Status } from './shown.ts'

/** What became of one thing. */
export interface Result {
  readonly what: string
  /** Why it could not be done. */
  readonly error?: string
}

export interface Repairing {
  readonly doors: Doors
  readonly service: string
  readonly args: EventsArguments
  /** Tells how far long work has come; never two lines in short order. */
  readonly progress: (text: string) => void
}

interface Answer {
  readonly error?: string
  readonly more?: boolean
}

type Aggregate = Pick<Letter, 'type' | 'aggregateId'> & { readonly name: string }

const POLL_MS = 500

/** Handles the dead letters of all aggregates that were meant. */
export async function retry({ doors, service, args, progress }: Repairing): Promise<readonly Result[]> {
  const [, name] = args.names
  const parked = parkedIn(await lettersOf(doors, service)).filter(
    each =>
      (name === undefined || each.name === name) &&
      (args.type === undefined || each.type === args.type) &&
      (args.aggregateId === undefined || each.aggregateId === args.aggregateId),
  )
  const results: Result[] = []
  for (const each of parked) {
    const error = await untilDone(doors, service, 'retry', each, {})
    results.push(about(each, error, each.letters === 1 ? 'handled' : `handled, ${each.letters} events`))
    const failed = results.filter(result => result.error !== undefined).length
    progress(`${results.length} of ${parked.length} aggregates${failed > 0 ? `, ${failed} fail again` : ''}`)
  }
  return results
}

export async function skip({ doors, service, args }: Repairing): Promise<readonly Result[]> {
  const letter = await letterOf(doors, service, args)
  if (letter.skipped) throw new CliError(`event ${letter.id} was skipped before`)
  const error = await untilDone(doors, service, 'skip', letter, { id: letter.id })
  return [about(letter, error, `event ${letter.number ?? letter.id} skipped`)]
}

export async function replay(repairing: Repairing): Promise<readonly Result[]> {
  const { doors, service, args } = repairing
  const [, name = ''] = args.names
  if (args.since !== undefined) {
    await doors.ask(service, 'replay', { name, since: args.since })
    return [{ what: `${service}.${name} gets the events since ${args.since} again: newer state wins` }]
  }
  const letter = await letterOf(doors, service, args)
  if (!letter.skipped) throw new CliError(`event ${letter.id} was not skipped: tsmicro events retry handles it`)
  return [about(letter, await untilDone(doors, service, 'retry', letter, {}), 'handled')]
}

/** Waits until everything is handled again. */
export async function rebuild({ doors, service, args, progress }: Repairing): Promise<readonly Result[]> {
  const [, name = ''] = args.names
  await doors.ask(service, 'rebuild', { name })
  const consumer = `${service}.${name}`
  for (let most = 0; ; await sleep(POLL_MS)) {
    const { consumers } = await doors.ask<Status>(service, 'status')
    const lags = consumers.filter(each => each.consumer === consumer).map(({ lag }) => lag)
    const left = lags.reduce<number>((sum, lag) => sum + (lag ?? 0), 0)
    most = Math.max(most, left)
    if (left === 0 && !lags.includes(undefined))
      return [{ what: `${consumer} is rebuilt${most > 0 ? `, ${most} events` : ''}` }]
    progress(`${most - left} of ${most} events`)
  }
}

export async function announce({ doors, service, args, progress }: Repairing): Promise<readonly Result[]> {
  const [, only] = args.names
  const types = only === undefined ? (await doors.ask<Status>(service, 'status')).announces : [only]
  if (types.length === 0)
    throw new CliError(`${service} does not say how to announce its states again: \`announces\` of its module`)
  const results: Result[] = []
  for (const type of types) {
    let count = 0
    for (let after: string | undefined; ; ) {
      const request = { type, after, ...(args.aggregateId === undefined ? {} : { aggregateId: args.aggregateId }) }
      const { announced, next } = await doors.ask<{ announced: number; next?: string }>(service, 'announce', request)
      count += announced
      progress(`${type}: ${count} announced`)
      if (next === undefined) break
      after = next
    }
    results.push({ what: `${type}: ${count} announced` })
  }
  return results
}

/** Asks again for as long as the service says that there is more to do. Each time it has handled something. */
async function untilDone(doors: Doors, service: string, command: string, which: Aggregate, more: object) {
  const { name, type, aggregateId } = which
  for (let asked = command, extra = more; ; asked = 'retry', extra = {}) {
    const answer = await doors.ask<Answer>(service, asked, { name, type, aggregateId, ...extra })
    if (!answer.more) return answer.error
  }
}

async function letterOf(doors: Doors, service: string, { names }: EventsArguments) {
  const [, name, id] = names
  const letters = await lettersOf(doors, service)
  const found = letters.find(each => each.id === id && nameOf(each) === name)
  if (!found)
    throw new CliError(`${service}.${name} has no dead letter with the id ${id}: tsmicro events dead ${service}`)
  return { ...found, name: nameOf(found) }
}

function about({ name, type, aggregateId }: Aggregate, error: string | undefined, done: string): Result {
  const what = `${name}: ${type} ${aggregateId}`
  return error === undefined ? { what: `${what} ${done}` } : { what, error }
}
