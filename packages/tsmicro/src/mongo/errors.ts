import { MongoError, MongoNetworkError, MongoServerError } from 'mongodb'
import {
  DEADLINE_EXCEEDED,
  isNetworkError,
  isTlsRefusal,
  SERVICE_UNAVAILABLE,
  tlsAdvice,
  UnusableError,
} from '../errors/index.ts'

/** By name, as the driver does not export all of these classes. A lost connection is a `MongoNetworkError`. */
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

/** Caused by the server's state, not by the operation. Numbers from the server's error_codes.yml. */
const unavailableCodes = new Set([
  // The server cannot be reached, or cannot reach others: HostUnreachable, NetworkTimeout, SSLHandshakeFailed, SocketException
  // …
  ...[6, 7, 89, 141, 145, 230, 231, 317, 384, 407, 9001],
  // It shuts down, was restarted, or interrupted the operation: ShutdownInProgress, Interrupted, CursorNotFound, CursorKilled …
  ...[43, 91, 237, 279, 281, 290, 303, 333, 355, 372, 398, 11600, 11601, 11602],
  // It is not (or no longer) the primary, elects one, or is not ready: NotYetInitialized, PrimarySteppedDown,
  // NotWritablePrimary …
  ...[94, 95, 109, 133, 134, 149, 164, 187, 189, 199, 203, 211, 216, 10058, 10107, 13435, 13436],
  // Its disk is full or failing, or its data is damaged: OutOfDiskSpace, FileOpenFailed, TooManyFilesOpen,
  // DataCorruptionDetected …
  ...[37, 38, 39, 42, 176, 264, 301, 14031],
  // It is overloaded, or does not accept writes for a while: TemporarilyUnavailable, UserWritesBlocked, ResourceExhausted …
  ...[205, 208, 261, 365, 371, 402, 433, 449, 450, 462],
  // Another operation is in the way: LockTimeout, WriteConflict, SnapshotUnavailable, IndexBuildAborted, BackgroundOperation …
  ...[24, 46, 107, 112, 117, 175, 215, 225, 239, 246, 250, 251, 267, 272, 276, 285, 314, 363, 406, 412, 12586, 12587],
  // The members of a cluster do not agree, or shards are being moved: UnsatisfiableWriteConcern, StaleConfig, ShardNotFound,
  // MovePrimaryInProgress …
  ...[63, 70, 79, 100, 136, 150, 234, 249, 319, 338, 341, 342, 343, 358, 414, 13388],
  // The cause is unknown: InternalError, UnknownError
  ...[1, 8],
])

/** From the socket's limit, and from an `AbortSignal.timeout`. */
const timeoutNames = new Set(['MongoNetworkTimeoutError', 'MongoOperationTimeoutError'])

/** MaxTimeMSExpired, WriteConcernTimeout, NetworkInterfaceExceededTimeLimit, ExceededTimeLimit */
const timeoutCodes = new Set([50, 64, 202, 262])

const duplicateKey = 11000

/**
 * Translates the driver's temporary failures into the framework's errors, with the driver's error as cause:
 * `SERVICE_UNAVAILABLE` if the server can't be used, `DEADLINE_EXCEEDED` if an operation took too long. Everything else is
 * returned unchanged.
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
    error.hasErrorLabel('RetryableWriteError') ||
    error.hasErrorLabel('SystemOverloadedError')
  ) {
    return unavailable(error)
  }
  return error
}

function unavailable(cause: unknown): Error {
  return new SERVICE_UNAVAILABLE(undefined, { cause, retryAfterSeconds: 1 })
}

/** Runs an operation of the driver and translates its failures. */
export async function translated<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw translate(error)
  }
}

/**
 * True if the document violates a unique index: the one with this name or on this field, or any.
 *
 * @example
 * const blog: Blog = { _id: id, slug, title: 'Hello', text: 'World', author: userId }
 * await blogs.insertOne(blog)
 * try {
 *   await blogs.insertOne(blog)
 * } catch (error) {
 *   isDuplicateKey(error, '_id') // true
 * }
 */
export function isDuplicateKey(error: unknown, indexOrField?: string): boolean {
  if (!(error instanceof MongoServerError) || error.code !== duplicateKey) return false
  if (indexOrField === undefined) return true
  const pattern: unknown = error.keyPattern
  if (typeof pattern === 'object' && pattern !== null && Object.hasOwn(pattern, indexOrField)) return true
  // The name is in the message only: "… collection: blog.blogs index: slug_1 dup key: …"
  return / index: (\S+) dup key/.exec(error.message)?.[1] === indexOrField
}

/** UserNotFound, AuthenticationFailed, MechanismUnavailable, and Atlas's code for all of them. */
const REFUSED = new Set([11, 18, 334, 8000])
const UNAUTHORIZED = 13

/**
 * The error of a connection that will fail again however often it is tried; undefined if waiting may help. Looks through the
 * causes: the driver wraps what happened to a server in "no server could be selected".
 */
function unusable(error: unknown): UnusableError | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof UnusableError) return undefined
    const advice = adviceFor(each)
    if (advice) return new UnusableError(`MongoDB: ${each.message}: ${advice}`, { cause: error })
  }
  return undefined
}

const TLS_PARAMETERS = { authority: 'tlsCAFile', certificate: 'tlsCertificateKeyFile' }

function adviceFor(error: Error): string | undefined {
  if ('code' in error && REFUSED.has(Number(error.code))) {
    return 'check user, password and authSource in its URL (without authSource, users are looked up in the database of the URL)'
  }
  if (isTlsRefusal(error)) return tlsAdvice(error, TLS_PARAMETERS)
  if ('syscall' in error && error.syscall === 'open') return 'check tls, tlsCAFile and tlsCertificateKeyFile in its URL'
  return undefined
}

/**
 * The error of an operation that needs rights: a server may let a user without any rights connect, and `ping` does not need
 * them.
 */
export function unpermitted(error: unknown, database: string): UnusableError | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === UNAUTHORIZED)) return undefined
  const advice = `name a user in its URL, with password, who may use the database ${JSON.stringify(database)}`
  return new UnusableError(`MongoDB: ${error.message}: ${advice}`, { cause: error })
}

/** The driver's error for a URL that it cannot read. Its message may quote the URL, which may contain a password. */
export function unreadable(error: unknown, url: string): UnusableError {
  const password = /^[^/]*\/\/[^@/]*?:([^@]*)@/.exec(url)?.[1]
  const said = error instanceof Error ? error.message : String(error)
  const message = password ? said.replaceAll(password, '…') : said
  return new UnusableError(`the URL of MongoDB cannot be used: ${message}`)
}
