import { randomBytes } from 'node:crypto'
import type { Msg } from '@nats-io/nats-core'
import type { Log } from '../../call/index.ts'
import { pullSubject } from '../../contract/index.ts'
import { SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { type Opening, type Pull, readPull } from '../flow.ts'
import type { InboundCall } from './endpoint.ts'
import { respondFailure } from './message.ts'

/** A call that is being answered piece by piece. */
interface FlowingCall extends InboundCall {
  pull(msg: Msg, pull: Pull): void
}

/** The streams and files that one instance is sending. */
export class Flows {
  /** This instance, in the subjects for pulls. */
  readonly #instance = randomBytes(12).toString('base64url')
  /** By ids that nobody can guess. */
  readonly #open = new Map<string, FlowingCall>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  /** Where the callers of a subject pull. */
  subjectOf(subject: string): string {
    return pullSubject(subject, this.#instance)
  }

  add(call: FlowingCall, subject: string): Opening {
    const stream = randomBytes(16).toString('base64url')
    this.#open.set(stream, call)
    return { stream, pull: this.subjectOf(subject) }
  }

  get(stream: string): InboundCall | undefined {
    return this.#open.get(stream)
  }

  delete({ stream }: Opening): void {
    this.#open.delete(stream)
  }

  /** Takes a pull. One for a flow that has ended is answered as well, because its caller may not know. */
  take(msg: Msg): void {
    const pull = readPull(msg.string())
    const call = pull && this.#open.get(pull.stream)
    if (pull && call) call.pull(msg, pull)
    else respondFailure(msg, new SERVICE_UNAVAILABLE(undefined, { message: 'There is no such stream here' }), this.#log)
  }
}
