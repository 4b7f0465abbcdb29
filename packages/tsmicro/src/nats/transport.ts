import type { Msg, MsgHdrs, Payload, Status } from '@nats-io/nats-core'
import { rootMessage } from '../errors/index.ts'
import type { HeaderBlock } from './headers.ts'

/**
 * What the NATS door needs from a connection: a `NatsConnection` is one, and so is a connection to the loopback broker of
 * `tsmicro/testing`. It is narrow, so that both can implement it; one conformance suite runs against both.
 */
export interface Transport {
  /** About the connected server; undefined while unknown. */
  readonly info?: { readonly max_payload: number } | undefined
  /**
   * Sends a message; never delivers it before returning. While the connection is down, it may be lost.
   * @throws {InvalidArgumentError} naming `max_payload` when payload and headers are larger than that
   * @throws {ClosedConnectionError} after {@link close}
   */
  publish(subject: string, payload?: Payload, options?: SendingOptions): void
  /** `*` stands for one token of a subject, a trailing `>` for one or more. It survives a lost connection. */
  subscribe(subject: string, options: TransportSubscribeOptions): TransportSubscription
  /** Resolves once the server has received everything sent before, and what it sent before has been delivered here. */
  flush(): Promise<void>
  /** The changes of the connection's state, from now on until it is closed. Each call returns an iterator of its own. */
  status(): AsyncIterable<Status>
  close(): Promise<void>
  isClosed(): boolean
}

interface SendingOptions {
  readonly reply?: string
  readonly headers?: MsgHdrs | HeaderBlock
}

export interface TransportSubscribeOptions {
  /** Each message reaches one member of a queue group. */
  readonly queue?: string
  /** Called with an error when the server refuses the subscription: then `msg` is absent, and no messages will come. */
  readonly callback: (error: Error | null, msg: Msg) => void
}

export interface TransportSubscription {
  /** Delivers no more messages. */
  unsubscribe(): void
  /** Stops accepting messages; resolves once those already on their way are delivered. */
  drain(): Promise<void>
}

/** Opens a connection for a service with this name. Rejects if nobody answers. */
export type Connect = (as: { readonly name: string }) => Promise<Transport>

/** What to do when the state of a connection changes. */
type StatusListener = { readonly [T in Status['type']]?: (status: Extract<Status, { readonly type: T }>) => void }

/** Watches a connection until it is closed. An error thrown by a listener must neither end the process nor hide later changes. */
export async function follow(connection: Transport, listener: StatusListener): Promise<void> {
  const tell = (status: Status) => {
    try {
      listener[status.type]?.(status as never)
    } catch (error) {
      process.emitWarning(`a listener of the NATS connection failed: ${rootMessage(error)}`)
    }
  }
  for await (const status of connection.status()) if (status.type !== 'close') tell(status)
  tell({ type: 'close' })
}
