import { SERVICE_UNAVAILABLE } from '../errors/index.ts'
import type { NatsLink } from './connection.ts'
import { Subscriptions } from './subscriptions.ts'
import type { Transport } from './transport.ts'

interface BroadcastListener {
  /** A message; its contents are unchecked. */
  heard(text: string): void
  /** The connection is lost: messages may be missed from here on. */
  lost(): void
}

/** Sends short texts between processes that listen below one subject: the `CacheBus` of `tsmicro/cache`. Delivered at most once. */
export interface Broadcast {
  /**
   * Receives texts sent to all and to this name. Its subscriptions outlive a lost connection, and end when the server refuses them.
   * @throws {SERVICE_UNAVAILABLE} while the connection is down; then nothing is received until it is called again
   */
  listen(name: string, listener: BroadcastListener): void
  /** Sends to all, including the sender, or to one name. @throws {SERVICE_UNAVAILABLE} while the connection is down */
  send(text: string, to?: string): void
  /** Stops listening. */
  close(): void
}

/**
 * @param subject the server must permit this user to publish and subscribe to `<subject>.>`
 * @example
 * const bus: Broadcast = createNatsBroadcast(nats, cacheSubjectOf('blog'))
 */
export function createNatsBroadcast(link: Pick<NatsLink, 'use'>, subject: string): Broadcast {
  let current: { readonly connection: Transport; readonly subscriptions: Subscriptions } | undefined
  const close = () => {
    current?.subscriptions.unsubscribe()
    current = undefined
  }
  return {
    listen(name, listener) {
      const connection = link.use()
      if (current?.connection === connection) return
      close()
      const lose = () => {
        if (current?.subscriptions === subscriptions) listener.lost()
      }
      const subscriptions = new Subscriptions(connection, {
        onLost: lose,
        onRefused() {
          close()
          listener.lost()
        },
      })
      current = { connection, subscriptions }
      for (const each of [`${subject}.all`, `${subject}.to.${token(name)}`])
        subscriptions.add({ subject: each, take: msg => listener.heard(msg.string()) })
    },
    send(text, to) {
      const whole = to === undefined ? `${subject}.all` : `${subject}.to.${token(to)}`
      try {
        link.use().publish(whole, text)
      } catch (cause) {
        throw cause instanceof SERVICE_UNAVAILABLE ? cause : new SERVICE_UNAVAILABLE(undefined, { cause })
      }
    },
    close,
  }
}

function token(name: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(name)) throw new TypeError(`${JSON.stringify(name)} cannot be part of a subject`)
  return name
}
