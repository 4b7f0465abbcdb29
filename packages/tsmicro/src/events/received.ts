import type { EventDataOf, EventDefinition, EventSpec } from '../contract/index.ts'
import { type Checked, formatProblems, type Problems, unseenIn, withUnseen } from '../schema/index.ts'
import { announcedVersion, decodeAttributes, type EventAttributes, type SentHeaders } from './headers.ts'
import { compileReader } from './versions.ts'

/**
 * An event as a handler receives it: the validated data with its attributes.
 *
 * @example
 * const welcome = async ({ data }: ReceivedEvent<typeof userCreated>) => log.info({ userId: data.userId }, 'welcome')
 * on(userCreated, { name: 'welcome', effect: 'idempotent' }, welcome)
 */
export interface ReceivedEvent<E extends EventSpec = EventSpec> extends EventAttributes {
  readonly data: EventDataOf<E>
}

/** Runs with the announcer's request id and trace in `currentContext()`. */
export type EventHandler<E extends EventSpec = EventSpec> = (event: ReceivedEvent<E>) => void | Promise<void>

/**
 * Reads an event as it came, its headers with lower-case names; at once, unless the schema's check takes longer.
 * @throws {TypeError} if the data does not match its schema
 */
export type ReadEvent = (sent: SentHeaders, text: string) => ReceivedEvent | Promise<ReceivedEvent>

/** Compiles the reading of an event. @throws {TypeError} if an upcast does not lead to a version that can be read */
export function compileRead(event: EventDefinition): ReadEvent {
  const { read, numbers } = compileReader(event)
  const received = (sent: SentHeaders, unseen: Problems | undefined, checked: Checked): ReceivedEvent => {
    if (unseen || checked.problems) {
      const problems = formatProblems(withUnseen(unseen, checked.problems))
      throw new TypeError(`${event.subject} does not match its schema: ${problems}`)
    }
    return { ...decodeAttributes(sent, event, checked.value), data: checked.value as never }
  }
  return (sent, text) => {
    const data: unknown = JSON.parse(text)
    const unseen = unseenIn(text, numbers)?.(data)
    const checked = read(announcedVersion(sent), data)
    return checked instanceof Promise
      ? checked.then(each => received(sent, unseen, each))
      : received(sent, unseen, checked)
  }
}

/** An event on its way to a handler, for who waits until it has been handled. */
export interface TakenEvent {
  readonly subject: string
  /** Name of the handler; undefined for one of every instance. */
  readonly handler: string | undefined
  /** Resolves when it has been handled, or could not be. */
  readonly handled: Promise<HandledEvent>
}

export interface HandledEvent {
  readonly id: string | undefined
  /** Absent = handled successfully. */
  readonly error?: unknown
}
