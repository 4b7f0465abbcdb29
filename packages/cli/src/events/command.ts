import { CliError } from '../errors.ts'
import { type EventsArguments, HELP, readEventsArguments } from './arguments.ts'
import { Doors, NobodyThereError } from './doors.ts'
import { announce, type Repairing, type Result, rebuild, replay, retry, skip } from './repair.ts'
import { deadText, lettersOf, letterText, type Status, statusText } from './shown.ts'
import { plain } from './table.ts'
import { findTarget } from './target.ts'

export interface EventsCommand {
  readonly configFile: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** For what was asked for. */
  readonly write: (text: string) => unknown
  /** For people who wait. */
  readonly tell: (text: string) => unknown
}

const PROGRESS_MS = 1000
const REPAIRS = { retry, skip, replay, rebuild, announce } as const

/**
 * Shows how the events of services get on, and repairs them.
 * @returns the exit code
 * @throws UsageError for wrong arguments; CliError if a service does not answer or refuses
 */
export async function runEvents({ configFile, args: given, env, write, tell }: EventsCommand): Promise<number> {
  const args = readEventsArguments(given)
  if (!args) {
    write(HELP)
    return 0
  }
  const { action, names, nats, json } = args
  const ofSeveral = action === 'status' || action === 'dead'
  const { url, services } = await findTarget({ nats, services: ofSeveral ? names : names.slice(0, 1) }, configFile, env)
  await using doors = await Doors.open(url)
  if (action === 'status' || action === 'dead') {
    const asked = { services, isNamed: names.length > 0, tell }
    if (action === 'status') {
      const all = await askAll(asked, service => doors.ask<Status>(service, 'status'))
      write(json ? jsonOf({ services: all }) : statusText(all))
    } else {
      const letters = (await askAll(asked, service => lettersOf(doors, service))).flat()
      write(json ? jsonOf({ letters }) : deadText(letters))
    }
    return 0
  }
  const [service = '', event = ''] = names
  if (action === 'show') {
    const letters = (await lettersOf(doors, service)).filter(({ id }) => id === event)
    if (letters.length === 0) throw new CliError(`${service} has no dead letter with the id ${event}`)
    write(json ? jsonOf({ letters }) : letters.map(letterText).join('\n'))
    return 0
  }
  const results = await REPAIRS[action]({ doors, service, args, progress: progressTo(tell) })
  write(json ? jsonOf({ results }) : resultsText(args, results))
  return results.some(({ error }) => error !== undefined) ? 1 : 0
}

interface Asked {
  readonly services: readonly string[]
  readonly isNamed: boolean
  readonly tell: EventsCommand['tell']
}

/** Services that were not named need not have events. */
async function askAll<Answer>(
  { services, isNamed, tell }: Asked,
  ask: (service: string) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (const service of services) {
    try {
      answers.push(await ask(service))
    } catch (error) {
      if (isNamed || !(error instanceof NobodyThereError)) throw error
      tell(`${error.message}\n`)
    }
  }
  return answers
}

function progressTo(tell: EventsCommand['tell']): Repairing['progress'] {
  let toldAt = performance.now()
  return text => {
    if (performance.now() - toldAt < PROGRESS_MS) return
    toldAt = performance.now()
    tell(`${plain(text)}\n`)
  }
}

function resultsText({ action }: EventsArguments, results: readonly Result[]): string {
  if (results.length === 0) return `There is nothing to ${action}.\n`
  return results.map(({ what, error }) => `${plain(error === undefined ? what : `${what} fails: ${error}`)}\n`).join('')
}

function jsonOf(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
