import { parseArgs } from 'node:util'
import { UsageError } from '../errors.ts'

export const HELP = `Usage: tsmicro events [status] [SERVICE...] [options]
       tsmicro events dead [SERVICE...]
       tsmicro events show SERVICE EVENT
       tsmicro events retry SERVICE [NAME] [--type TYPE] [--aggregate ID]
       tsmicro events skip SERVICE NAME EVENT
       tsmicro events replay SERVICE NAME EVENT
       tsmicro events replay SERVICE NAME --since TIME
       tsmicro events rebuild SERVICE NAME
       tsmicro events announce SERVICE [TYPE] [--aggregate ID]

Shows how events get on, and sets right what does not. NAME is the name of handlers, EVENT the id of an event. Data of events is
never shown. Everything can be repeated, and whatever has begun goes on if this command ends early.

status    the streams, the consumers with what they are behind, the dead letters, and what waits in outboxes
dead      the events that were given up on, with error, tries and time, and how many of their aggregates wait behind them
show      one of them, with its attributes
retry     handles dead letters again, each aggregate in its order, and goes on with what waits behind them
skip      no longer waits for a dead letter, which is kept, and goes on with what waits behind it
replay    handles a skipped event after all, or gets those since TIME again. Newer state wins: what is recorded as handled, or as
          passed by, is not handled again by handlers whose effect is in a database; "rebuild" does that
rebuild   forgets how far the handlers have come, and handles all stored events again; waits until that is done
announce  lets the source announce its current states again, for consumers that lack events which are no longer stored

Options:
  --type TYPE       only aggregates of this type: the first word of the subjects
  --aggregate ID    only this aggregate
  --since TIME      ISO 8601, or so long ago: 30m, 2h, 7d
  --nats URL        the NATS server, with a user who may ask services about their events (default NATS_URL, or the system that
                    tsmicro start runs on DATA_DIR)
  --json            print JSON
  --help            show this text

Example: tsmicro events replay blog authors --since 2h

Exit code: 0 when everything was done; 1 when something could not be done, such as an event that fails again; 2 for wrong arguments.
`

const ACTIONS = ['status', 'dead', 'show', 'retry', 'skip', 'replay', 'rebuild', 'announce'] as const
type Action = (typeof ACTIONS)[number]

const OPTIONS = {
  type: { type: 'string' },
  aggregate: { type: 'string' },
  since: { type: 'string' },
  nats: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** The options of each action, beside those that all have; the least and the most of its arguments, and their names. */
const TAKES: Readonly<Record<Action, readonly [options: string, least: number, most: number, named: string]>> = {
  status: ['', 0, 100, '[SERVICE...]'],
  dead: ['', 0, 100, '[SERVICE...]'],
  show: ['', 2, 2, 'SERVICE EVENT'],
  retry: ['type aggregate', 1, 2, 'SERVICE [NAME]'],
  skip: ['', 3, 3, 'SERVICE NAME EVENT'],
  replay: ['since', 2, 3, 'SERVICE NAME EVENT, or SERVICE NAME --since TIME'],
  rebuild: ['', 2, 2, 'SERVICE NAME'],
  announce: ['aggregate', 1, 2, 'SERVICE [TYPE]'],
}

const SERVICE = /^[A-Za-z0-9_-]+$/
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export interface EventsArguments {
  readonly action: Action
  readonly names: readonly string[]
  readonly type: string | undefined
  readonly aggregateId: string | undefined
  /** ISO 8601. */
  readonly since: string | undefined
  readonly nats: string | undefined
  readonly json: boolean
}

/** Returns undefined if help is asked for. @throws UsageError */
export function readEventsArguments(args: readonly string[]): EventsArguments | undefined {
  const { values, positionals } = parse(args)
  if (values.help) return undefined
  const [first = 'status'] = positionals
  const action = ACTIONS.find(each => each === first)
  const names = action ? positionals.slice(1) : positionals
  const [options, least, most, named] = TAKES[action ?? 'status']
  for (const option of ['type', 'aggregate', 'since'] as const)
    if (values[option] !== undefined && !options.split(' ').includes(option))
      throw new UsageError(`--${option} does not belong to tsmicro events ${action ?? 'status'}`)
  const isWrong = names.length < least || names.length > most
  if (isWrong || (action === 'replay' && (names.length === 2) !== (values.since !== undefined)))
    throw new UsageError(`usage: tsmicro events ${action} ${named}`)
  const service = names.find((name, at) => (at === 0 || most > 3) && !SERVICE.test(name))
  if (service !== undefined) throw new UsageError(`"${service}" cannot be the name of a service`)
  const { type, aggregate: aggregateId, nats, json } = values
  const since = values.since === undefined ? undefined : timeOf(values.since)
  return { action: action ?? 'status', names, type, aggregateId, since, nats, json }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split(/\.\s/, 1)[0] ?? error.message) : String(error))
  }
}

function timeOf(text: string): string {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const time = count === undefined ? Date.parse(text) : Date.now() - Number(count) * (UNITS[unit] ?? 0)
  if (Number.isNaN(time))
    throw new UsageError(`--since ${text}: use a time such as 2031-02-03T04:05:06Z, or 30m, 2h, 7d`)
  return new Date(time).toISOString()
}
