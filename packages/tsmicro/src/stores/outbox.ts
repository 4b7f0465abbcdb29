/** An event as it is stored and sent: nothing about it is left to compute. */
export interface StoredEvent {
  /** A UUID; the same on every delivery. */
  readonly id: string
  readonly subject: string
  /** The kind of aggregate: the first token of the subject. */
  readonly type: string
  readonly aggregateId: string
  /** Version of the data's shape. */
  readonly version: number
  /** ISO 8601 in UTC. */
  readonly time: string
  /** JSON text. */
  readonly data: string
  /** Request id and trace of the call that has caused it, as header fields. */
  readonly context: Readonly<Record<string, string>>
}

/** An event with its number, which the outbox gives it in the transaction of the change. */
export interface NumberedEvent extends StoredEvent {
  /** Counts the events of the aggregate over all its subjects without gaps: from 1, or from a higher number, which `first` tells. */
  readonly sequence: number
  /**
   * No lower number can be expected: those events were erased, or the source has announced its state again. 1 for most.
   */
  readonly first: number
}

/** What a stream's server says about it, kept beside the events in order to notice that it was lost or restored. */
export interface StreamState {
  /** When the stream was created, ISO 8601; another time means another stream. */
  readonly created: string
  readonly lastSequence: number
}

/**
 * Keeps events in the same database as the changes that they announce: what stores and the outbox share. `Tx` is what makes an event part
 * of a change: a transaction of PostgreSQL, a change of a MongoDB document.
 */
export interface OutboxStore<Tx> {
  readonly effect: 'postgres' | 'mongodb'
  /** Creates what is missing. Called once the database is connected. */
  prepare(): Promise<void>
  /**
   * Numbers the event and keeps it, if and only if the change is committed. At a restart, its number is higher than `after`.
   * @throws {SERVICE_UNAVAILABLE} if too many events of the document wait to be sent (MongoDB)
   */
  add(tx: Tx, event: StoredEvent, options: { readonly restart: boolean; readonly after?: number }): Promise<void>
  /** Calls the listener whenever this process has committed a change with events. */
  onCommitted(listener: () => void): void
  /**
   * Passes unsent events to `send`, those of an aggregate in order, and records what `send` resolves to: the number of each event in its
   * stream, or undefined for one that was not accepted. Only one relay of a store does so at a time: `send` asks right before it sends
   * something whether its turn lasts, as a process that was frozen may have lost it.
   * @param more called when nothing is left, by a store that can keep its turn: it goes on if this resolves to true
   * @returns how many were sent; `busy` if another relay is at work
   */
  relay(
    send: (events: readonly NumberedEvent[], lasts: () => boolean) => Promise<readonly (number | undefined)[]>,
    limit: number,
    more?: () => Promise<boolean>,
  ): Promise<number | 'busy'>
  /** The stream's state as it was recorded last. */
  streamState(type: string): Promise<StreamState | undefined>
  /**
   * Records a stream's state. With `resendAfter`, all kept events of the type with a higher number in the stream are unsent again: the
   * stream was restored or is a new one (0).
   * @returns how many events will be sent again
   */
  recordStream(type: string, state: StreamState, options?: { readonly resendAfter: number }): Promise<number>
  /**
   * Erases the data of an aggregate's events so far; its next event says that no lower number can be expected.
   * @returns their numbers in the stream; `unsent`, and nothing is changed, if one is unsent or being added: the stream may have it already
   */
  erase(type: string, aggregateId: string): Promise<readonly number[] | 'unsent'>
  /** Deletes what was sent longer ago than this. */
  clean(keepMs: number): Promise<void>
  /**
   * Removes what only numbers aggregates that have no kept events, of a part of them. Their next event, as that of a new aggregate, has a
   * higher number than all of these have had, and says that no lower one can be expected.
   * @returns after the last part: all whose last event was sent before this time, in milliseconds since 1970, are forgotten
   */
  forget(): Promise<number | undefined>
  /** What waits to be sent. */
  depth(): Promise<{ readonly pending: number; readonly oldestMs: number }>
}
