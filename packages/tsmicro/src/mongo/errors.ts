import { MongoError, MongoNetworkError, MongoServerError } from 'mongodb'
import { DEADLINE_EXCEEDED, isNetworkError, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { unusable } from './unusable.ts'

/** By name: the driver does not export all of these classes. Those of a lost connection are `MongoNetworkError`s. */
const unavailableNames = new Set([
  'MongoServerSelectionError',
  'MongoPoolClosedError',
  'MongoWaitQueueTimeoutError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoServerClosedError',
  'MongoClientClosedError',
  'MongoStalePrimaryError',
])

/**
 * The server goes, is no primary (any more), or has forgotten our cursor because it was started anew. Numbers of the
 * server's error_codes.yml.
 */
const unavailableCodes = new Set([6, 7, 43, 89, 91, 133, 189, 9001, 10058, 10107, 11600, 11602, 13435, 13436])

/** From the socket's limit, and what the driver makes of an `AbortSignal.timeout`. */
const timeoutNames = new Set(['MongoNetworkTimeoutError', 'MongoOperationTimeoutError'])

/** MaxTimeMSExpired, WriteConcernTimeout, ExceededTimeLimit */
const timeoutCodes = new Set([50, 64, 262])

const duplicateKey = 11000

/**
 * Turns a driver's "not now" into the framework's words, with the driver's error as cause: `SERVICE_UNAVAILABLE` when the
 * server can't be used, `DEADLINE_EXCEEDED` when an operation ran too long. Everything else passes unchanged.
 */
export function translate(error: unknown): unknown {
  const refused = unusable(error)
  if (refused) return unavailable(refused)
  // A write that waits for a full socket to drain fails with the socket's own error (seen with 7.9), not with the driver's.
  if (isNetworkError(error)) return unavailable(error)
  if (!(error instanceof MongoError)) return error
  if (timeoutNames.has(error.name) || timeoutCodes.has(Number(error.code))) {
    return new DEADLINE_EXCEEDED(undefined, { cause: error })
  }
  if (
    error instanceof MongoNetworkError ||
    unavailableNames.has(error.name) ||
    unavailableCodes.has(Number(error.code)) ||
    error.hasErrorLabel('TransientTransactionError') ||
    error.hasErrorLabel('RetryableWriteError')
  ) {
    return unavailable(error)
  }
  return error
}

function unavailable(cause: unknown): Error {
  return new SERVICE_UNAVAILABLE(undefined, { cause, retryAfterSeconds: 1 })
}

/** Runs an operation of the driver; its failures are translated. */
export async function translated<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw translate(error)
  }
}

/** True when the document breaks a unique index: the one with this name or on this field, or any. */
export function isDuplicateKey(error: unknown, indexOrField?: string): boolean {
  if (!(error instanceof MongoServerError) || error.code !== duplicateKey) return false
  if (indexOrField === undefined) return true
  const pattern: unknown = error.keyPattern
  if (typeof pattern === 'object' && pattern !== null && Object.hasOwn(pattern, indexOrField)) return true
  // the name stands in the message only: "… collection: blog.blogs index: slug_1 dup key: …"
  return / index: (\S+) dup key/.exec(error.message)?.[1] === indexOrField
}
