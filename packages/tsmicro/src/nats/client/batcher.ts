import type { Msg } from '@nats-io/nats-core'
import { MOST_BATCHED_CALLS } from '../../contract/index.ts'
import { encodeCall, parseItems, readAnswer } from '../wire.ts'
import type { PendingCall } from './pending-call.ts'

/** How calls are packed; see {@link Batcher}. */
export interface BatchingOptions {
  /**
   * The most calls in one message. A message goes to one instance, so a larger one would leave the others idle. Default 16, at most 64.
   */
  readonly maxCalls?: number
  /** The most characters in one message; a call larger than half of that travels alone. Default 65,536. */
  readonly maxLength?: number
}

export interface BatcherOptions extends BatchingOptions {
  readonly sendAlone: (call: PendingCall) => void
  readonly sendTogether: (message: SentCalls, body: string) => void
}

/** What follows runs after what runs now. Node's `queueMicrotask` makes a resource for it, which costs more. */
const READY = Promise.resolve()
/** When nobody listens for batches on a subject, calls travel alone for this long. */
const RETRY_BATCHES_MS = 10_000

/** The calls of one subject. */
interface Line {
  readonly subject: string
  readonly sendWaiting: () => void
  waiting: PendingCall[]
  inFlight: number
  /** Whether the last turn with calls had several: then the next call is probably not alone either. */
  busy: boolean
  /** When batches are tried again; 0 = they are in use. */
  aloneUntil: number
}

/**
 * Packs the calls of one turn of the event loop into one message per subject. A message costs far more than its contents: the
 * client, the service and nats-server each handle it as one. A lone call goes out at once in the plain form, and those that follow
 * without waiting leave in the same write. While others are in flight, a call waits for the end of the turn, when everything that arrived
 * in this turn (requests of other clients, replies) has been handled. Calls made together are spread evenly over the messages that they need.
 */
export class Batcher {
  readonly #options: Required<BatcherOptions>
  readonly #lines = new Map<string, Line>()
  #due: Line[] = []

  constructor(options: BatcherOptions) {
    const { maxCalls = 16, maxLength = 65_536 } = options
    this.#options = { ...options, maxCalls: Math.min(maxCalls, MOST_BATCHED_CALLS), maxLength }
  }

  add(call: PendingCall): void {
    const { subject, data } = call.request
    const line = this.#line(subject)
    line.inFlight += 1
    const quiet = line.inFlight === 1 && !line.busy
    if (data.length > this.#options.maxLength / 2 || isAlone(line)) this.#options.sendAlone(call)
    else if (quiet) {
      // Before nats.js writes what it has been given, so that calls that follow at once leave in the same write.
      void READY.then(line.sendWaiting)
      this.#options.sendAlone(call)
    } else if (line.waiting.push(call) === 1) {
      if (this.#due.push(line) === 1) setImmediate(this.#endTurn)
    }
  }

  ended(call: PendingCall): void {
    const line = this.#lines.get(call.request.subject)
    if (line && line.inFlight > 0) line.inFlight -= 1
  }

  /** The calls that wait for the end of the turn. */
  get waiting(): readonly PendingCall[] {
    return this.#due.flatMap(({ waiting }) => waiting)
  }

  /** Nobody listens for batches on this subject. */
  unsupported(subject: string): void {
    this.#line(subject).aloneUntil = performance.now() + RETRY_BATCHES_MS
  }

  #line(subject: string): Line {
    const known = this.#lines.get(subject)
    if (known) return known
    const sendWaiting = () => this.#send(line)
    const line: Line = { subject, sendWaiting, waiting: [], inFlight: 0, busy: false, aloneUntil: 0 }
    this.#lines.set(subject, line)
    return line
  }

  readonly #endTurn = (): void => {
    const due = this.#due
    this.#due = []
    for (const line of due) this.#send(line)
  }

  #send(line: Line): void {
    // They may have left with the first one.
    if (line.waiting.length === 0) return
    const calls = line.waiting.filter(call => !call.ended)
    line.waiting = []
    line.busy = calls.length > 1
    if (calls.length === 1 || isAlone(line)) for (const call of calls) this.#options.sendAlone(call)
    else this.#pack(line.subject, calls)
  }

  #pack(subject: string, calls: readonly PendingCall[]): void {
    const { maxCalls, maxLength, sendAlone, sendTogether } = this.#options
    const share = Math.ceil(calls.length / Math.ceil(calls.length / maxCalls))
    let together: PendingCall[] = []
    let body = ''
    const flush = () => {
      const [first] = together
      if (first && together.length === 1) sendAlone(first)
      else if (first) sendTogether(new SentCalls(subject, together), `[${body}]`)
      together = []
      body = ''
    }
    for (const [index, call] of calls.entries()) {
      const { budgetMs, inherited, data } = call.request
      call.item = index.toString(36)
      const item = encodeCall(call.item, Math.floor(budgetMs), inherited, data)
      if (together.length === share || body.length + item.length > maxLength) flush()
      body = together.length === 0 ? item : `${body},${item}`
      together.push(call)
    }
    flush()
  }
}

function isAlone(line: Line): boolean {
  if (line.aloneUntil === 0) return false
  if (performance.now() < line.aloneUntil) return true
  line.aloneUntil = 0
  return false
}

/** The calls of a message that wait for their answers. */
export class SentCalls {
  readonly subject: string
  /** Empty once all have ended. */
  calls: readonly PendingCall[]
  readonly #first: number
  #left: number

  constructor(subject: string, calls: readonly PendingCall[]) {
    this.subject = subject
    this.calls = calls
    this.#first = Number.parseInt(calls[0]?.item ?? '0', 36)
    this.#left = calls.length
  }

  /** Whether it is one call in the plain form. */
  get alone(): boolean {
    return this.calls[0]?.item === ''
  }

  /** Called when one of its calls has ended. Returns how many are still waiting. */
  ended(): number {
    this.#left -= 1
    // Former tables of a Map may live on, see `Queue`.
    if (this.#left === 0) this.calls = []
    return this.#left
  }

  receive(msg: Msg): void {
    const items = this.alone ? undefined : parseItems(msg.string())
    // A reply that is not a list is a single reply that applies to all calls of the batch.
    if (!items) for (const call of this.calls) call.end({ msg })
    else {
      for (const each of items) {
        const item = readAnswer(each)
        if (item) this.#find(item.token)?.end({ item })
      }
    }
  }

  /** The calls of a batch are numbered without a gap. */
  #find(token: string): PendingCall | undefined {
    const call = this.calls[Number.parseInt(token, 36) - this.#first]
    return call?.item === token ? call : undefined
  }
}
