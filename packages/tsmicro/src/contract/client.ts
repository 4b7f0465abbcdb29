import type { StreamBody } from './body.ts'
import type { BoundProcedure, Contract } from './contract.ts'
import type { DeepReadonly, RequestOf, ResponseOf } from './infer.ts'
import type { ProcedureSpec } from './spec.ts'

/** Options of a call that every client accepts besides the input. */
interface ClientCallOptions {
  /** Gives up when it aborts: the call fails with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** A stream is connected only when it is read. */
type Returned<P extends ProcedureSpec> = P extends { readonly output: StreamBody }
  ? ResponseOf<P>
  : Promise<ResponseOf<P>>

/** Calls one procedure. The input may be omitted if the procedure has none, or if all its fields are optional. */
export type Caller<P extends ProcedureSpec, Options = ClientCallOptions> =
  Extract<keyof P, 'input'> extends never
    ? (input?: Readonly<Record<string, never>>, options?: Options) => Returned<P>
    : Readonly<Record<never, never>> extends RequestOf<P>
      ? (input?: DeepReadonly<RequestOf<P>>, options?: Options) => Returned<P>
      : (input: DeepReadonly<RequestOf<P>>, options?: Options) => Returned<P>

/**
 * One function for each procedure of a contract that has this door: `client.validateRole({ userId, role }, { signal })`. Clients of both
 * doors are called the same way, so one can replace the other.
 *
 * @example
 * const greetings = contract('hello', {
 *   greet: procedure({ http: 'GET /greet', nats: 'greet', access: 'open', output: Type.String() }),
 * })
 * const greeter = (transport: 'http' | 'nats'): Client<typeof greetings> =>
 *   transport === 'nats' ? nats.client(greetings) : createHttpClient(greetings, { baseUrl: 'http://localhost:8000/hello' })
 */
export type Client<C extends Contract, Door extends 'http' | 'nats' = 'http' | 'nats', Options = ClientCallOptions> = {
  readonly [K in keyof C as C[K] extends { readonly kind: 'procedure' } & { readonly [D in Door]: string }
    ? K
    : never]: C[K] extends BoundProcedure<infer S> ? Caller<S, Options> : never
}
