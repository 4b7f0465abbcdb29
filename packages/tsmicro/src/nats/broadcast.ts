import type { Msg } from '@nats-io/nats-core'
import { rootMessage, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import type { NatsLink } from './connection.ts'
import type { Transport, TransportSubscription } from './transport.ts'

interface BroadcastListener {
  /** A message; nothing is known about it. */
  heard(text: string): void
  /** The connection is lost: messages may be missed from here on. */
  lost(): void
}

/** Short texts among processes that listen below one subject: the `CacheBus` of `tsmicro/cache`. At most once each. */
export interface Broadcast {
  /**
   * Hears what is sent to all and to this name, for ever: subscriptions outlive a lost connection.
   * @throws {SERVICE_UNAVAILABLE} while the connection is down; then nothing is heard, and it is to be called again
   */
  listen(name: string, listener: BroadcastListener): void
  /** To all, the sender included, or to one name. @throws {SERVICE_UNAVAILABLE} while the connection is down */
  send(text: string, to?: string): void
  /** No longer hears anything. */
  close(): void
}

/**
 * @param subject the server has to allow this user to publish and subscribe to `<subject>.>`
 * @example
 * const bus: Broadcast = createNatsBroadcast(nats, cacheSubjectOf('blog'))
 */
export function createNatsBroadcast(link: Pick<NatsLink, 'use'>, subject: string): Broadcast {
  let ear: Ear | undefined
  return {
    listen(name, listener) {
      const connection = link.use()
      if (ear?.connection === connection && ear.open) return
      ear?.close()
      ear = new Ear(connection, [`${subject}.all`, `${subject}.to.${token(name)}`], listener)
    },
    send(text, to) {
      const whole = to === undefined ? `${subject}.all` : `${subject}.to.${token(to)}`
      try {
        link.use().publish(whole, text)
      } catch (cause) {
        throw cause instanceof SERVICE_UNAVAILABLE ? cause : new SERVICE_UNAVAILABLE(undefined, { cause })
      }
    },
    close: () => ear?.close(),
  }
}

/** Subscriptions of one connection. */
class Ear {
  readonly connection: Transport
  readonly #listener: BroadcastListener
  readonly #subjects: readonly string[]
  readonly #subscriptions: readonly TransportSubscription[]
  #open = true

  constructor(connection: Transport, subjects: readonly string[], listener: BroadcastListener) {
    this.connection = connection
    this.#listener = listener
    this.#subjects = subjects
    this.#subscriptions = subjects.map(subject =>
      connection.subscribe(subject, {
        // An error ends the subscription: the server does not allow it.
        callback: (error, msg) => (error ? this.#lose() : this.#hear(msg)),
      }),
    )
    void this.#watch()
  }

  get open(): boolean {
    return this.#open
  }

  close(): void {
    this.#open = false
    if (!this.connection.isClosed()) for (const each of this.#subscriptions) each.unsubscribe()
  }

  #hear(msg: Msg): void {
    if (this.#open) this.#guard(() => this.#listener.heard(msg.string()))
  }

  /** What throws would end the process: a listener is called where bytes come from the socket. */
  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      process.emitWarning(`a listener of ${this.#subjects[0]} failed: ${rootMessage(error)}`)
    }
  }

  #lose(): void {
    if (!this.#open) return
    this.close()
    this.#guard(() => this.#listener.lost())
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.connection.status())
      if (type === 'disconnect' && this.#open) this.#guard(() => this.#listener.lost())
    this.#lose()
  }
}

function token(name: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(name)) throw new TypeError(`${JSON.stringify(name)} is no part of a subject`)
  return name
}
