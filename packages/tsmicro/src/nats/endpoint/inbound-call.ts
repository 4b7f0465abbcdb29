import type { DoorContext } from '../../call/index.ts'
import type { ApiError } from '../../errors/index.ts'

/** A call as an endpoint sees it, whether it came alone or in a batch. */
export interface InboundCall {
  readonly context: DoorContext
  /** Nobody waits for the answer any more. */
  readonly gone: boolean
  /** The request's data. @throws {MALFORMED_REQUEST}; {VALIDATION_FAILED} for a number that would be rounded */
  read(): unknown
  /** Sends the answer, JSON text or '' for none. Returns the failure that was told instead where that could not be sent. */
  answer(data: string): ApiError | undefined
  /** Sends a failure; returns the one that was told. */
  refuse(error: ApiError): ApiError
}

/** What a service works on and can be told to stop. */
export interface Cancellable {
  /** @param token of a call within a batch */
  cancel(token: string | undefined): void
  /** Nobody waits for any of it. */
  cancelAll(): void
}
