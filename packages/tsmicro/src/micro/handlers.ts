import type { EndpointLimits, Handler } from '../call/index.ts'
import {
  type BoundProcedure,
  type Contract,
  type EventDefinition,
  type EventSpec,
  entriesOf,
} from '../contract/index.ts'
import type { EventEngine, EventHandler } from '../events/index.ts'
import type { InboxStore } from '../stores/index.ts'
import { StartError } from './start-error.ts'

/** One handler for each procedure of a contract, whatever its doors. */
export type Handlers<C extends Contract> = {
  readonly [K in keyof C as C[K] extends { readonly kind: 'procedure' } ? K : never]: C[K] extends BoundProcedure<
    infer S
  >
    ? Handler<S>
    : never
}

/** A contract with its handlers, made by {@link implement}: an entry of `handlers` of a module or controller. */
export interface Implementation {
  readonly kind: 'implementation'
  readonly contract: Contract
  readonly handlers: Readonly<Record<string, Handler>>
  readonly limits: EndpointLimits | undefined
}

/**
 * Gives each procedure of a contract its handler, which serves every door that the procedure declares. A missing or unknown
 * handler does not compile.
 *
 * @example
 * const greetings = contract('hello', {
 *   greet: procedure({ http: 'GET /greet', nats: 'greet', access: 'open', output: Type.String() }),
 * })
 * const handlers: Handlers<typeof greetings> = { greet: () => 'Hello' }
 * const greeting: Implementation = implement(greetings, handlers)
 * const module: Module = { nats, handlers: [greeting] }
 * @param options.limits the limits of each of these endpoints, at each of its doors. Default: the service's
 * @throws {TypeError} naming the missing handlers, or those without a procedure
 */
export function implement<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  { limits }: { readonly limits?: EndpointLimits } = {},
): Implementation {
  const given = handlers as unknown as Readonly<Record<string, unknown>>
  const procedures = entriesOf(contract)
  const missing = procedures.filter(([key]) => typeof given[key] !== 'function')
  const labels = missing.map(([key, { service }]) => `${service}.${key}`)
  if (labels.length > 0) throw new TypeError(`implement: no handler for ${labels.join(', ')}`)
  const names = procedures.map(([key]) => key)
  // An instance of a class may hold more than its handlers.
  const unknown = isPlain(given) ? Object.keys(given).filter(key => !names.includes(key)) : []
  if (unknown.length > 0)
    throw new TypeError(
      `implement: ${unknown.join(', ')}: no such procedure; the contract has ${names.join(', ') || 'none'}`,
    )
  const bound = names.map(key => [key, (given[key] as Handler).bind(handlers)])
  return { kind: 'implementation', contract, handlers: Object.fromEntries(bound), limits }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

interface OnceOptions {
  /**
   * Distinguishes the handlers of a service: each name gets every event once, whatever happens under the other names, and
   * handles the events of an aggregate one after the other. Handlers of several events may share a name and with it their order:
   * `user.created` before `user.updated`. Different aggregates do not wait for each other. Lower-case letters, digits and -. Do not
   * change it: a new name is a new consumer, which gets all stored events.
   */
  readonly name: string
  /**
   * Where the handler's effect is stored, so that the handled event is recorded in the same place, with the same change: `postgres` or
   * `mongodb`, whose inbox the module lists in `inboxes`. Then it takes effect once, in the order of its aggregate. `idempotent` means
   * that handling an event twice has the same effect as handling it once. A service in which a name has another effect than before does
   * not start: give it a new name.
   */
  readonly effect: Effect
  /**
   * How often an event is tried before it is kept as a dead letter, which holds up the later events of its aggregate. Default 5. Failures
   * of a dependency (`isDependencyFailure`, also as a cause) do not count, nor does any while one of the module's `dependencies` does not work.
   */
  readonly tries?: number
  readonly everyInstance?: undefined
}

interface EveryInstanceOptions {
  /**
   * Every instance of the service gets the event, at most once: for what an instance keeps in memory, such as a cache or the streams
   * of its clients. What happens while it is not connected, or while too many events wait for this handler, it never learns.
   */
  readonly everyInstance: true
  readonly name?: undefined
  readonly effect?: undefined
  readonly tries?: undefined
}

const TRIES = 5
const EFFECTS = ['postgres', 'mongodb', 'idempotent'] as const
type Effect = (typeof EFFECTS)[number]

/**
 * A handler of an event, made by {@link on}: an entry of `handlers` of a module or controller.
 *
 * @example
 * const welcome: Reaction = on(userCreated, { name: 'welcome', effect: 'idempotent' }, ({ data }) => {
 *   log.info({ userId: data.userId }, 'welcome')
 * })
 * const module: Module = { nats, handlers: [welcome] }
 */
export type Reaction = (OnceOptions | EveryInstanceOptions) & {
  readonly kind: 'reaction'
  readonly event: EventDefinition
  readonly handler: EventHandler
}

/**
 * Handles an event. With `name` and `effect`, each one reaches one instance of this service, once per name, also if no instance runs when
 * it is published: the events of an aggregate in their order, and in the effect once. With an `idempotent` effect it may be handled twice,
 * or late after an instance has died, so a lower `aggregateSequence` should never overwrite a higher one. An attempt that takes longer
 * than `handlerTimeoutMs` is aborted (`currentContext().deadline.signal`), and tried again once it has ended. With `everyInstance`, each
 * one reaches every instance that is connected, at most once.
 *
 * @example
 * const userCreated = event({
 *   subject: 'user.created', aggregate: 'userId', data: Type.Object({ userId: Type.String(), email: Type.String() }),
 * })
 * const welcomed = new Set<string>()
 * const seen = new Map<string, string>()
 * const module: Module = {
 *   nats,
 *   handlers: [
 *     on(userCreated, { name: 'welcome', effect: 'idempotent' }, ({ data }) => void welcomed.add(data.email)),
 *     on(userCreated, { everyInstance: true }, ({ data }) => void seen.delete(data.userId)),
 *   ],
 * }
 * @throws {TypeError} if the name or the effect is invalid
 */
export function on<E extends EventSpec>(
  event: EventDefinition<E>,
  options: OnceOptions | EveryInstanceOptions,
  handler: EventHandler<E>,
): Reaction {
  const refuse = (why: string): never => {
    throw new TypeError(`on ${event.subject}: ${why}`)
  }
  const { name, effect, tries, everyInstance } = options
  if (typeof handler !== 'function') refuse('the handler is missing')
  const reaction = { kind: 'reaction', event, handler: handler as unknown as EventHandler } as const
  if (everyInstance !== undefined) {
    if (everyInstance !== true) refuse('everyInstance is true, or left out')
    if (name !== undefined || effect !== undefined || tries !== undefined)
      refuse(
        'with everyInstance there is no name, no effect and no tries: every instance gets the event, and nothing is recorded',
      )
    return { ...reaction, everyInstance }
  }
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name))
    refuse(`name ${JSON.stringify(name)}: lower-case letters, digits and -`)
  if (!EFFECTS.includes(effect)) refuse(`effect: say where it is stored, one of ${EFFECTS.join(', ')}`)
  if (tries !== undefined && !(Number.isInteger(tries) && tries >= 1)) refuse('tries is a whole number, 1 or more')
  return { ...reaction, name, effect, ...(tries === undefined ? {} : { tries }) }
}

/**
 * Gives the engine the event handlers of all parts.
 * @throws {StartError} if a name has two handlers of an event, or two different effects, or nothing records its effect
 */
export function addReactions(
  engine: EventEngine,
  reactions: readonly Reaction[],
  inboxes: readonly InboxStore[],
): void {
  const first = new Map<string, Reaction>()
  const taken = new Set<string>()
  for (const reaction of reactions) {
    const { name, event, effect, handler, tries = TRIES } = reaction
    if (name === undefined) {
      engine.addEveryInstance(event, handler)
      continue
    }
    const key = `${name} ${event.subject}`
    if (taken.has(key))
      throw new StartError(`two handlers of ${event.subject} have the name ${name}: give one of them another`)
    taken.add(key)
    const other = first.get(name) ?? reaction
    first.set(name, other)
    // They are one consumer, which records its progress in one place.
    if (other.effect !== effect) {
      throw new StartError(
        `the handlers of ${other.event.subject} and ${event.subject} have the name ${name} and different effects, ${other.effect} and ${effect}: give one of them another name`,
      )
    }
    const inbox = inboxes.find(each => each.effect === effect)
    if (!inbox && effect !== 'idempotent') {
      throw new StartError(
        `the handler ${name} of ${event.subject} has its effect in ${effect}, but nothing records it: list the inbox of that database in \`inboxes\` of the module`,
      )
    }
    engine.add({ name, event, handler, inbox, tries })
  }
}
