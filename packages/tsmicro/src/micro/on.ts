import type { EventDefinition, EventSpec } from '../contract/index.ts'
import type { EventHandler } from '../events/index.ts'

export interface OnOptions {
  /**
   * Tells the handlers of a service apart: each name gets every event once, whatever becomes of it under the others, and takes
   * its events one after the other. Handlers of several events that share a name share that order: `user.created` before
   * `user.updated`. Lower-case letters, digits and -. Keep it: a new name is a new consumer.
   */
  readonly name: string
  /**
   * Where the handler's effect lives, so that it can be recorded beside it that the event was handled: `postgres` or `mongodb`;
   * `idempotent` = nowhere in particular, and handling an event twice does what handling it once does.
   */
  readonly effect: Effect
}

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
export interface Reaction extends OnOptions {
  readonly kind: 'reaction'
  readonly event: EventDefinition
  readonly handler: EventHandler
}

/**
 * Handles an event: each one reaches one instance of this service, once for each name. It may come twice or late, so a lower
 * `aggregateSequence` should never overwrite a higher one.
 *
 * @example
 * const userCreated = event({
 *   subject: 'user.created', aggregate: 'userId', data: Type.Object({ userId: Type.String(), email: Type.String() }),
 * })
 * const welcomed = new Set<string>()
 * const module: Module = {
 *   nats,
 *   handlers: [
 *     on(userCreated, { name: 'welcome', effect: 'idempotent' }, ({ data }) => void welcomed.add(data.email)),
 *   ],
 * }
 * @throws {TypeError} when the name is not a word that a consumer can have, or the effect none of those
 */
export function on<E extends EventSpec>(
  event: EventDefinition<E>,
  { name, effect }: OnOptions,
  handler: EventHandler<E>,
): Reaction {
  const refuse = (why: string): never => {
    throw new TypeError(`on ${event.subject}: ${why}`)
  }
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name))
    refuse(`name ${JSON.stringify(name)}: lower-case letters, digits and -`)
  if (!EFFECTS.includes(effect)) refuse(`effect: say where it lives, one of ${EFFECTS.join(', ')}`)
  if (typeof handler !== 'function') refuse('the handler is missing')
  return { kind: 'reaction', event, name, effect, handler: handler as unknown as EventHandler }
}
