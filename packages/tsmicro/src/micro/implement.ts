import type { EndpointLimits, Handler } from '../call/index.ts'
import { type BoundProcedure, type Contract, entriesOf } from '../contract/index.ts'

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
 * @param options.limits how much each of these endpoints takes at each of its doors. Default: the service's
 * @throws {TypeError} naming the handlers that are missing, and those without a procedure
 */
export function implement<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  { limits }: { readonly limits?: EndpointLimits } = {},
): Implementation {
  const given = handlers as unknown as Readonly<Record<string, unknown>>
  const procedures = entriesOf(contract)
  const lacking = procedures.filter(([key]) => typeof given[key] !== 'function').map(labelOf)
  if (lacking.length > 0) throw new TypeError(`implement: no handler for ${lacking.join(', ')}`)
  const names = procedures.map(([key]) => key)
  // An instance of a class may well hold more than its handlers.
  const unknown = isPlain(given) ? Object.keys(given).filter(key => !names.includes(key)) : []
  if (unknown.length > 0)
    throw new TypeError(`implement: ${unknown.join(', ')}: no such procedure; there are ${names.join(', ') || 'none'}`)
  const bound = names.map(key => [key, (given[key] as Handler).bind(handlers)])
  return { kind: 'implementation', contract, handlers: Object.fromEntries(bound), limits }
}

function labelOf([key, { service }]: readonly [string, BoundProcedure]): string {
  return `${service}.${key}`
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
