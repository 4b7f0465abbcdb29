import { cancelSubject } from '../../contract/index.ts'
import type { Transport } from '../transport.ts'
import { encodeCallId, MOST_CANCELLED } from '../wire/cancel.ts'
import type { PendingCall } from './pending-call.ts'

/** Tells services which calls nobody waits for any more: those of one turn in one message. */
export class Canceller {
  readonly #nats: Transport
  /** Service → ids of calls. */
  #given = new Map<string, string[]>()

  constructor(nats: Transport) {
    this.#nats = nats
  }

  /** @param reply the subject on which the call's reply would come */
  cancel({ request, item }: PendingCall, reply: string): void {
    const [service = ''] = request.subject.split('.', 1)
    const id = encodeCallId(reply, item === '' ? undefined : item)
    if (this.#given.size === 0) setImmediate(() => this.#send())
    const ids = this.#given.get(service)
    if (ids) ids.push(id)
    else this.#given.set(service, [id])
  }

  #send(): void {
    const given = this.#given
    this.#given = new Map()
    for (const [service, ids] of given) {
      for (let start = 0; start < ids.length; start += MOST_CANCELLED) {
        try {
          this.#nats.publish(cancelSubject(service), ids.slice(start, start + MOST_CANCELLED).join('\n'))
        } catch {
          // Not connected: the calls' budgets end them over there.
          return
        }
      }
    }
  }
}
