import type { Msg } from '@nats-io/nats-core'
import { Deadline, DoorContext, type Log, ThrottledLog, withContext } from '../../call/index.ts'
import { eventsDoor } from '../../contract/index.ts'
import {
  ApiError,
  INTERNAL,
  OVERLOADED,
  PAYLOAD_TOO_LARGE,
  rootMessage,
  settledWithin,
  VALIDATION_FAILED,
} from '../../errors/index.ts'
import {
  decodeEnvelope,
  decodeHeaders,
  isInbox,
  type NatsLink,
  respond,
  respondFailure,
  Subscriptions,
} from '../../nats/index.ts'
import { type Command, commandsOf, listed, type OperationsOptions, refused } from './commands.ts'

interface OperationsDoorOptions extends OperationsOptions {
  /** Where answers may go, beside the usual inboxes. */
  readonly inboxPrefixes: readonly string[]
  readonly log: Log
}

const QUEUE = 'q'
const MOST_BYTES = 64 * 1024
const MOST_AT_ONCE = 16
/** Server permissions for an answer last a minute at least. */
const ANSWER_MS = 50_000
/** After this, from the first letter on, what is left of a command waits for the next request. */
const ENOUGH_MS = 5000

/**
 * Where operators ask a service about its events, and repair them: `{"data":{"command":…}}`, answered like any request by one of the
 * instances. Who may do so is the server's matter.
 */
export class OperationsDoor {
  readonly #options: OperationsDoorOptions
  readonly #noInbox: ThrottledLog
  readonly #running = new Set<Promise<void>>()
  #commands: ReadonlyMap<string, Command> = new Map()
  #subscriptions: Subscriptions | undefined
  #draining = false

  constructor(options: OperationsDoorOptions) {
    this.#options = options
    this.#noInbox = new ThrottledLog(options.log, 'a request was ignored: its reply subject is not an inbox')
  }

  start(nats: NatsLink): void {
    const { access, log } = this.#options
    this.#commands = commandsOf(nats, this.#options)
    this.#subscriptions = new Subscriptions(nats.use(), { log })
    this.#subscriptions.add({ subject: eventsDoor(access.service), queue: QUEUE, take: msg => this.#take(msg) })
  }

  /** Takes no further commands. Those that run end with the event that they are at, which is waited for. */
  async drain(ms: number): Promise<void> {
    this.#draining = true
    this.#subscriptions?.unsubscribe()
    await settledWithin(ms, ...this.#running)
  }

  #take(msg: Msg): void {
    const { inboxPrefixes, log } = this.#options
    const { subject, reply } = msg
    if (!reply) return
    if (!isInbox(reply, inboxPrefixes)) {
      this.#noInbox.warn({ subject, reply })
      return
    }
    if (this.#running.size >= MOST_AT_ONCE) {
      respondFailure(msg, new OVERLOADED(), log)
      return
    }
    const work = this.#answer(msg)
    this.#running.add(work)
    const done = () => void this.#running.delete(work)
    // It rejects only when the log throws.
    work.then(done, done)
  }

  async #answer(msg: Msg): Promise<void> {
    const deadline = new Deadline(ANSWER_MS)
    const context = new DoorContext({ door: 'nats', headers: decodeHeaders(msg), deadline, log: this.#options.log })
    const { log } = context
    try {
      const answer = await deadline.race(withContext(context, () => this.#run(msg)))
      respond(msg, JSON.stringify({ data: answer }), { log })
    } catch (err) {
      const known = err instanceof ApiError && err.status < 500
      if (!known) log.error({ err }, 'a command about events failed')
      // Whoever may repair events may know why that failed.
      respondFailure(msg, known ? err : new INTERNAL(undefined, { message: rootMessage(err), cause: err }), log)
    } finally {
      deadline[Symbol.dispose]()
    }
  }

  async #run(msg: Msg): Promise<unknown> {
    if (msg.data.length > MOST_BYTES) throw new PAYLOAD_TOO_LARGE()
    const { data } = decodeEnvelope(msg.string())
    if (typeof data !== 'object' || data === null) throw refused('command', 'is missing')
    const { command: name, ...input } = data as { readonly command?: unknown }
    const command = typeof name === 'string' ? this.#commands.get(name) : undefined
    if (!command) throw refused('command', `must be one of ${listed(this.#commands.keys())}`)
    const checked = await command.check(input)
    if (checked.problems) throw new VALIDATION_FAILED(checked.problems)
    if (name !== 'status' && name !== 'dead')
      this.#options.log.info({ command: name, ...input }, 'an operator repairs events')
    let began: number | undefined
    const goOn = () => {
      began ??= performance.now()
      return !this.#draining && performance.now() - began < ENOUGH_MS
    }
    return command.run(checked.value as never, goOn)
  }
}
