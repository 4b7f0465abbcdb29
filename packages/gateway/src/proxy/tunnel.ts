import type { Duplex } from 'node:stream'
import type { ServiceConfig } from '../config/model.ts'
import { CLIENT_TIMEOUT_MS } from '../server/limits.ts'
import { IdleTimer } from './idle-timer.ts'

/** How long to wait for the rest after one side has ended: nginx's lingering_timeout. */
const LINGER_MS = 5_000

export interface TunnelOptions {
  readonly client: Duplex
  readonly upstream: Duplex
  readonly timeouts: Pick<ServiceConfig, 'readTimeout' | 'writeTimeout'>
  /** Called if a time-out ended the tunnel. */
  readonly onTimeout: (reason: string) => void
}

/**
 * Connects two sockets, as nginx does: each side gets what the other sends, no faster than it can take it. When one side ends, its
 * remaining bytes are delivered and both are closed, because a WebSocket cannot stay half-open. When one side is lost, so is the
 * other. Time-outs: nothing in either direction for `readTimeout`, an upstream that takes nothing for `writeTimeout`, a client that
 * takes nothing for a minute.
 */
export class Tunnel {
  readonly #o: TunnelOptions
  readonly #idle: IdleTimer
  readonly #lingering = new IdleTimer(() => this.#destroy())
  #ending = false

  constructor(options: TunnelOptions) {
    this.#o = options
    const { client, upstream, timeouts } = options
    this.#idle = new IdleTimer(() => this.#giveUp('nothing was sent in either direction'))
    this.#idle.start(timeouts.readTimeout)
    this.#connect(client, upstream, timeouts.writeTimeout)
    this.#connect(upstream, client, CLIENT_TIMEOUT_MS)
  }

  /** Forwards everything from one side to the other. */
  #connect(from: Duplex, to: Duplex, stallMs: number): void {
    const { upstream, timeouts } = this.#o
    const stalled = new IdleTimer(() => this.#giveUp(`the ${to === upstream ? 'upstream' : 'client'} reads nothing`))
    from.on('data', (chunk: Buffer) => {
      if (this.#ending) return
      this.#idle.start(timeouts.readTimeout)
      if (to.write(chunk)) return
      from.pause()
      stalled.start(stallMs)
      // The upstream is not idle while it is paused.
      if (from === upstream) this.#idle.stop()
    })
    to.on('drain', () => {
      if (this.#ending) return
      stalled.stop()
      this.#idle.start(timeouts.readTimeout)
      from.resume()
    })
    from.once('end', () => {
      if (this.#ending) return
      stalled.start(stallMs)
      to.end(() => {
        stalled.stop()
        this.#end()
      })
    })
    from.once('close', () => {
      stalled.stop()
      if (!this.#ending) this.#lose(to)
      if (to.destroyed) this.#stopTimers()
    })
    from.on('error', () => {})
    from.resume()
  }

  /** One side has ended, and the other has received everything. What either sends from now on is discarded. */
  #end(): void {
    if (this.#ending) return
    this.#ending = true
    this.#idle.stop()
    this.#lingering.start(LINGER_MS)
    for (const side of [this.#o.client, this.#o.upstream]) side.resume().end()
  }

  /** One side is lost. The other still receives what is on its way. */
  #lose(other: Duplex): void {
    this.#ending = true
    this.#idle.stop()
    this.#lingering.start(LINGER_MS)
    other.end(() => other.destroy())
  }

  #giveUp(reason: string): void {
    this.#o.onTimeout(reason)
    this.#destroy()
  }

  #destroy(): void {
    this.#ending = true
    this.#stopTimers()
    this.#o.client.destroy()
    this.#o.upstream.destroy()
  }

  #stopTimers(): void {
    this.#idle.stop()
    this.#lingering.stop()
  }
}
