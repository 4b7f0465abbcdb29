/*
 * What JetStream is told and says about streams and consumers, by the names of its API. Durations are in nanoseconds, times ISO 8601.
 * @see https://docs.nats.io/reference/reference-protocols/nats_api_reference
 */

export interface StreamConfig {
  readonly name: string
  readonly subjects?: readonly string[]
  readonly retention?: 'limits' | 'interest' | 'workqueue'
  readonly storage?: 'file' | 'memory'
  readonly discard?: 'old' | 'new'
  readonly num_replicas?: number
  /** 0 = unlimited, as for the other limits. */
  readonly max_age?: number
  readonly max_bytes?: number
  readonly max_msgs?: number
  readonly max_msg_size?: number
  /** How long the server recognises a message that comes again by its `Nats-Msg-Id`. */
  readonly duplicate_window?: number
  readonly metadata?: Readonly<Record<string, string>>
}

export interface StreamInfo {
  readonly config: StreamConfig
  readonly created: string
  readonly state: {
    readonly messages: number
    readonly bytes: number
    readonly first_seq: number
    readonly first_ts: string
    readonly last_seq: number
    readonly last_ts: string
    readonly consumer_count: number
    readonly num_deleted?: number
    /** Messages by subject, if that was asked for; a server counts 100,000 subjects at most. */
    readonly subjects?: Readonly<Record<string, number>>
  }
}

export interface ConsumerConfig {
  readonly durable_name: string
  readonly ack_policy: 'explicit'
  readonly filter_subject?: string
  readonly filter_subjects?: readonly string[]
  readonly deliver_policy: 'all' | 'by_start_sequence' | 'by_start_time'
  readonly opt_start_seq?: number
  readonly opt_start_time?: string
  readonly ack_wait?: number
  readonly max_deliver?: number
  readonly max_ack_pending?: number
  readonly max_waiting?: number
  /** With these two, only one client of a group gets messages at a time. */
  readonly priority_groups?: readonly string[]
  readonly priority_policy?: 'pinned_client'
  /** How long a pinned client may send no pull before another one is pinned. */
  readonly priority_timeout?: number
  readonly metadata?: Readonly<Record<string, string>>
}

export interface ConsumerInfo {
  readonly stream_name: string
  readonly name: string
  readonly created: string
  readonly config: ConsumerConfig
  readonly delivered: { readonly consumer_seq: number; readonly stream_seq: number }
  readonly ack_floor: { readonly consumer_seq: number; readonly stream_seq: number }
  /** Delivered, and not acknowledged yet. */
  readonly num_ack_pending: number
  readonly num_redelivered: number
  readonly num_waiting: number
  /** Not delivered yet. */
  readonly num_pending: number
  readonly priority_groups?: readonly { readonly group: string; readonly pinned_client_id?: string }[]
}

/** Which message of a stream: the one with this number, the first from there on with a subject, or the last with a subject. */
export type MessageQuery = { readonly seq: number; readonly next_by_subj?: string } | { readonly last_by_subj: string }

/** A message as it is in a stream. */
export interface StoredMessage {
  readonly subject: string
  readonly sequence: number
  readonly time: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly data: Uint8Array
}

/** The server's answer to a message that a stream has stored. */
export interface PubAck {
  readonly stream: string
  readonly sequence: number
  /** True = the stream had it already, by its `Nats-Msg-Id`. */
  readonly duplicate: boolean
}
