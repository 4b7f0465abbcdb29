import type { Msg } from '@nats-io/nats-core'
import type { Log } from '../../call/index.ts'
import { type ApiError, MALFORMED_REQUEST } from '../../errors/index.ts'
import { PULLS, type Pull } from '../flow.ts'
import { encodeBody } from '../wire.ts'
import type { Endpoint } from './endpoint.ts'
import type { Flows } from './flows.ts'
import { MessageCall, respond } from './message.ts'
import { Outflow } from './outflow.ts'
import type { Source } from './sources.ts'

const PULLS_KEY = PULLS.toLowerCase()

/** A call that is answered with a stream or a file. It lasts until that is sent. */
export class FlowCall extends MessageCall {
  readonly #msg: Msg
  readonly #flows: Flows
  readonly #maxPayload: number
  #source: Source | undefined
  #flow: Outflow | undefined
  #retired = false

  /** @param maxPayload bytes that the server accepts in one message */
  constructor(msg: Msg, endpoint: Endpoint, flows: Flows, maxPayload: number, log: Log) {
    super(msg, endpoint, log)
    this.#msg = msg
    this.#flows = flows
    this.#maxPayload = maxPayload
  }

  /** @throws {MALFORMED_REQUEST} for a caller that expects its answer in one message */
  override admit(): void {
    const { subject } = this.#msg
    const message = `${subject} answers with a stream or a file: ask for it with the header ${PULLS}`
    if (this.context.headers[PULLS_KEY] === undefined) throw new MALFORMED_REQUEST(undefined, { message })
  }

  override async stream(source: Source): Promise<ApiError | undefined> {
    const { deadline, log } = this.context
    const onGone = () => this.cancel()
    const flow = new Outflow({ source, deadline, maxPayload: this.#maxPayload, log, onGone })
    this.#source = source
    this.#flow = flow
    if (this.gone) flow.leave()
    if (this.#retired) this.retire()
    const opening = this.#flows.add(this, this.#msg.subject)
    try {
      const unsent = respond(this.#msg, encodeBody(JSON.stringify({ ...opening, headers: source.headers })), { log })
      if (unsent) this.cancel()
      return (await flow.run()) ?? unsent
    } finally {
      this.#flows.delete(opening)
      source.close()
    }
  }

  pull(msg: Msg, pull: Pull): void {
    this.#flow?.take(msg, pull)
  }

  override cancel(): void {
    super.cancel()
    this.#flow?.leave()
  }

  override retire(): void {
    this.#retired = true
    this.#source?.retire()
    this.#flow?.retire()
  }
}
