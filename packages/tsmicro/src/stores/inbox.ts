/** What a row of the inbox is about: how far a consumer has come with an aggregate. */
export interface InboxKey {
  /** `service.handler` */
  readonly consumer: string
  /** The kind of aggregate: the first token of the subjects. */
  readonly type: string
  readonly aggregateId: string
}

/** How old the use of a row may be that is recorded: not every read of a row changes it. */
export const USE_RECORDED_MS = 12 * 60 * 60 * 1000

/** One attempt to handle an event: its effect is recorded together with the step from one number to the next. */
export interface Attempt extends InboxKey {
  /** The number recorded so far; 0 = none. */
  readonly from: number
  /** More than `from`; the same for an event without a number: recording it always succeeds, and changes no number. */
  readonly to: number
}

/** A handler's effect must not happen: somebody else has recorded this event, or has been told to try again. Rolls its transaction back. */
export class AlreadyHandledError extends Error {
  override readonly name = 'AlreadyHandledError'

  constructor({ consumer, type, aggregateId, to }: Attempt) {
    super(`event ${to} of ${type} ${aggregateId} has been handled by another attempt of ${consumer}`)
  }
}

/**
 * Records, beside the effects of handlers, how far each consumer has come with each aggregate: what stores and the consumer share. The row
 * is the fence: whoever is late, or has been given up, finds another number there and changes nothing.
 */
export interface InboxStore {
  readonly effect: 'postgres' | 'mongodb'
  /** Creates what is missing. Called once the database is connected. */
  prepare(): Promise<void>
  /** The numbers recorded for these keys, in their order; 0 for none. A row that is read, or takes a step, is not forgotten for a while. */
  read(keys: readonly InboxKey[]): Promise<readonly number[]>
  /** Records a step without an effect. Resolves to false, and changes nothing, if `from` is no longer what is recorded. */
  advance(attempt: Attempt): Promise<boolean>
  /** The event that a handler is about to get stands for this attempt from now on. */
  begin(event: object, attempt: Attempt): void
  /**
   * From now on the event can no longer be recorded. Resolves to whether its effect was, and the step with it: then the event is done, even
   * if the handler has failed afterwards. Where documents carry the effect, the step is recorded here and only if the handler has
   * `succeeded`: an attempt that failed between two documents is repeated, and changes only the second.
   */
  end(event: object, succeeded: boolean): Promise<boolean>
  /** Removes rows that were not used since, of aggregates whose sources have forgotten them. */
  forget(of: Omit<InboxKey, 'aggregateId'>, unusedSince: Date): Promise<void>
  /** Forgets all rows of a consumer, so that it handles everything again. */
  reset(consumer: string): Promise<void>
}
