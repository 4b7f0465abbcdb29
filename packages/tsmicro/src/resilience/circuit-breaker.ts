import type { Log, Middleware, ProcedureCall } from '../call/index.ts'
import type { BoundProcedure } from '../contract/index.ts'
import { ApiError, DEADLINE_EXCEEDED, SERVICE_UNAVAILABLE } from '../errors/index.ts'

interface CircuitOptions {
  /** Opens after this many failures without a success between them. Default 5. */
  readonly failures?: number
  /**
   * Opens only when nothing has succeeded for this many milliseconds: when one of several instances fails and the others answer, a
   * few calls in a row fail by chance. Default 500.
   */
  readonly silentMs?: number
  /** Milliseconds between trials while it is open. Default 1,000. */
  readonly openMs?: number
}

export interface CircuitBreakerOptions extends CircuitOptions {
  /**
   * When the surrounding call's own time ended, that counts as a failure only after this many milliseconds: callers in a hurry must
   * not open the circuit for others. Default 1,000.
   */
  readonly patienceMs?: number
  /** Logs when a circuit opens and when it closes. */
  readonly log?: Log
}

/**
 * Client middleware that stops calling a procedure while nobody answers: calls then fail at once with SERVICE_UNAVAILABLE,
 * whose `retryAfterSeconds` says when the next trial is. Each procedure has a circuit of its own. Failures are SERVICE_UNAVAILABLE
 * and DEADLINE_EXCEEDED; everything else is an answer, OVERLOADED as well: a service that sends it is alive, and sheds load better
 * by itself. A caller who leaves says nothing about the other side.
 *
 * We do not use cockatiel (4.0.0): there, callers wait for the trial of another without regard to their own time, a trial whose
 * caller left counts as a success, failures from before the last success open the circuit again, and it relies on the wall clock,
 * which may be set back.
 *
 * @example
 * new NatsClient({ url, name: 'blog', middleware: [circuitBreaker({ log }), retry()] })
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): Middleware<ProcedureCall> {
  const { patienceMs = 1000, log } = options
  const circuits = new WeakMap<BoundProcedure, Circuit>()
  return async (call, next) => {
    const { procedure } = call
    const name = `${procedure.service}.${procedure.name}`
    const began = performance.now()
    const circuit = circuits.get(procedure) ?? new Circuit(options, began)
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
          log?.warn({ procedure: name, err: error }, `${name} does not answer: calls fail at once until it does`)
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

/**
 * Whether calls of one procedure make sense now. It opens when nothing succeeds any longer, and closes with the first success.
 * While it is open, one call per `openMs` is let through as a trial. A trial that is never answered does not delay the next one.
 * All times are of the monotonic clock.
 */
export class Circuit {
  readonly #options: Required<CircuitOptions>
  #failed = 0
  #succeededAt: number
  /** When the next trial may start; `undefined` = closed. */
  #trialAt: number | undefined

  constructor({ failures = 5, silentMs = 500, openMs = 1000 }: CircuitOptions, now: number) {
    this.#options = { failures, silentMs, openMs }
    this.#succeededAt = now
  }

  /** Milliseconds until a call makes sense again; 0 = go on. */
  enter(now: number): number {
    if (this.#trialAt === undefined) return 0
    if (now < this.#trialAt) return this.#trialAt - now
    this.#trialAt = now + this.#options.openMs
    return 0
  }

  /** @returns whether this closed it */
  succeed(now: number): boolean {
    const closed = this.#trialAt !== undefined
    this.#trialAt = undefined
    this.#failed = 0
    this.#succeededAt = now
    return closed
  }

  /**
   * A call that began before the last success is out of date.
   * @returns whether this opened it
   */
  fail(began: number, now: number): boolean {
    const { failures, silentMs, openMs } = this.#options
    if (this.#trialAt !== undefined || began < this.#succeededAt) return false
    this.#failed += 1
    if (this.#failed < failures || now - this.#succeededAt < silentMs) return false
    this.#trialAt = now + openMs
    return true
  }
}
