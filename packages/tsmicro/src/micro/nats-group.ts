import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  type CallContext,
  guardOf,
  type Handler,
  type Log,
  type Middleware,
} from '../call/index.ts'
import {
  type BoundProcedure,
  type Contract,
  contract,
  type EventDefinition,
  type EventSpec,
  entriesOf,
  type JsonSchema,
  procedure,
  proceduresOf,
} from '../contract/index.ts'
import type { EventConsumer, EventHandler } from '../events/index.ts'
import { createEndpoint, type EndpointLimits, type NatsServer } from '../nats/index.ts'

/** One handler for each procedure of a contract that has a NATS door. */
export type NatsHandlers<C extends Contract> = {
  readonly [K in keyof C as C[K] extends { readonly kind: 'procedure'; readonly nats: string }
    ? K
    : never]: C[K] extends BoundProcedure<infer S> ? Handler<S> : never
}

export interface NatsGroupOptions {
  readonly service: string
  readonly server: NatsServer
  readonly consumer: EventConsumer
  readonly authentication: AuthenticationProvider | undefined
  readonly authorization: AuthorizationProvider | undefined
  readonly middleware: readonly Middleware[]
  readonly timeoutMs: number
  /** Of every endpoint that has none of its own. */
  readonly limits?: EndpointLimits | undefined
  readonly log: Log
  /** Told of every procedure that gets a handler, and of its contract. */
  readonly onImplemented: (procedure: BoundProcedure, contract: Contract) => void
  /** Told of every endpoint without a contract. */
  readonly onEndpoint: (procedure: BoundProcedure) => void
}

const ANYTHING: JsonSchema = {}

/**
 * Mounts procedures at the NATS door and takes events.
 *
 * @example
 * class Clock extends Controller {
 *   override mountNats(group: NatsGroup) {
 *     group.addEndpoint('time', () => new Date().toISOString())
 *   }
 * }
 * const module: Module = { nats, controllers: [new Clock()] }
 */
export class NatsGroup {
  readonly #options: NatsGroupOptions

  constructor(options: NatsGroupOptions) {
    this.#options = options
  }

  /**
   * Gives every NATS procedure of a contract its handler; a missing one does not compile.
   *
   * @example
   * group.implement(validation, {
   *   validateToken: ({ input }) => sessions.validate(input.token),
   *   validateRole: ({ input }) => ({ valid: input.role === 'EDITOR' }),
   * })
   * @param limits how much each of these endpoints takes. Default: the service's
   */
  implement<C extends Contract>(contract: C, handlers: NatsHandlers<C>, limits?: EndpointLimits): void {
    for (const [key, procedure] of entriesOf(contract)) {
      const handler = (handlers as Record<string, Handler | undefined>)[key]
      if (!procedure.subject || !handler) continue
      this.#options.onImplemented(procedure, contract)
      this.#mount(procedure, handler, limits)
    }
  }

  /**
   * An endpoint without a contract, as in gomicro: whatever JSON comes in `data`, whatever is returned goes out.
   * It is not validated and not typed: prefer {@link implement}.
   */
  addEndpoint(name: string, handle: (data: unknown, context: CallContext) => unknown): void {
    const made = contract(this.#options.service, {
      [name]: procedure({ nats: name, access: 'internal', input: ANYTHING, output: ANYTHING }),
    })
    const [bound] = proceduresOf(made)
    const handler = (call: { input: unknown; context: CallContext }) => handle(call.input, call.context)
    if (!bound) return
    this.#options.onEndpoint(bound)
    this.#mount(bound, handler as unknown as Handler)
  }

  /** Takes an event; each one reaches one instance of this service. */
  consume<E extends EventSpec>(event: EventDefinition<E>, handler: EventHandler<E>): void {
    this.#options.consumer.add(event, handler)
  }

  #mount(procedure: BoundProcedure, handler: Handler, limits = this.#options.limits): void {
    const { server, authentication, authorization, middleware, timeoutMs, log } = this.#options
    const guard = guardOf(procedure.access, authentication, authorization)
    server.add(createEndpoint({ procedure, handler, guard, middleware, timeoutMs, limits, log }))
  }
}
