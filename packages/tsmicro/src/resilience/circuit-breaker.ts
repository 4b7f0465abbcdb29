import type { Log, Middleware, ProcedureCall } from '../call/index.ts'
import type { BoundProcedure } from '../contract/index.ts'
import { ApiError, DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { Circuit } from './circuit.ts'

export interface CircuitBreakerOptions {
  /** Opens after this many failures without a success between them. Default 5. */
  readonly failures?: number
  /**
   * Opens only when nothing has succeeded for so many milliseconds: of several instances one may fail while the others
   * answer, and of many calls a few in a row then fail by chance. Default 500.
   */
  readonly silentMs?: number
  /** Milliseconds between trials while it is open. Default 1,000. */
  readonly openMs?: number
  /**
   * When the surrounding call's own time ended, that counts only after so many milliseconds: callers in a hurry must not
   * close the way for others. Default 1,000.
   */
  readonly patienceMs?: number
  /** Told when a circuit opens and when it closes. */
  readonly log?: Log
}

/**
 * Client middleware that stops calling a procedure while nobody answers: calls then fail at once with SERVICE_UNAVAILABLE,
 * which tells when the next trial is. Each procedure has a circuit of its own. Failures are SERVICE_UNAVAILABLE and
 * DEADLINE_EXCEEDED; everything else is an answer, OVERLOADED too: who says that is there, and sheds load better by itself.
 * A caller who goes away says nothing about the other side.
 *
 * Our own and not cockatiel's (4.0.0): there callers wait for the trial of another without regard to their own time, a
 * trial whose caller left counts as a success, failures from before the last success open it anew, and it goes by the wall
 * clock, which may be set back.
 *
 * @example
 * new NatsClient({ url, name: 'blog', middleware: [circuitBreaker({ log }), retry()] })
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): Middleware<ProcedureCall> {
  const { failures = 5, silentMs = 500, openMs = 1000, patienceMs = 1000, log } = options
  const circuits = new WeakMap<BoundProcedure, Circuit>()
  return async (call, next) => {
    const { procedure } = call
    const name = `${procedure.service}.${procedure.name}`
    const began = performance.now()
    const circuit = circuits.get(procedure) ?? new Circuit({ failures, silentMs, openMs }, began)
    circuits.set(procedure, circuit)
    const waitMs = circuit.enter(began)
    if (waitMs > 0) {
      throw new SERVICE_UNAVAILABLE(undefined, {
        cause: new Error(`the circuit of ${name} is open`),
        retryAfterSeconds: Math.ceil(waitMs / 1000),
      })
    }
    const succeed = () => {
      if (circuit.succeed(performance.now())) log?.info({ procedure: name }, `${name} answers again`)
    }
    try {
      const answer = await next()
      succeed()
      return answer
    } catch (error) {
      if (isFailure(error, call, began, patienceMs)) {
        if (circuit.fail(began, performance.now()))
          log?.warn({ procedure: name, err: error }, `${name} does not answer: calls of it fail at once until it does`)
      } else if (error instanceof ApiError && !(error instanceof DEADLINE_EXCEEDED)) succeed()
      throw error
    }
  }
}

function isFailure(error: unknown, { context }: ProcedureCall, began: number, patienceMs: number): boolean {
  if (error instanceof SERVICE_UNAVAILABLE) return true
  if (!(error instanceof DEADLINE_EXCEEDED)) return false
  return (context?.deadline.remainingMs() ?? 1) > 0 || performance.now() - began >= patienceMs
}
