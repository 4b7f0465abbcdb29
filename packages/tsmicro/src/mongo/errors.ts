import { MongoError, MongoNetworkError, MongoServerError } from 'mongodb'
import { DEADLINE_EXCEEDED, isNetworkError, SERVICE_UNAVAILABLE } from '../errors/index.ts'
import { isTlsRefusal, UnusableError } from '../errors/index.ts'

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

/** What is the server's state and not the operation's fault. Numbers of the server's error_codes.yml. */
const unavailableCodes = new Set([
  // It cannot be reached, or cannot reach others: HostUnreachable, NetworkTimeout, SSLHandshakeFailed, SocketException …
  ...[6, 7, 89, 141, 145, 230, 231, 317, 384, 407, 9001],
  // It goes, was restarted, or ended what we asked for: ShutdownInProgress, Interrupted, CursorNotFound, CursorKilled …
  ...[43, 91, 237, 279, 281, 290, 303, 333, 355, 372, 398, 11600, 11601, 11602],
  // It is no primary (any more), elects one, or is not ready: NotYetInitialized, PrimarySteppedDown, NotWritablePrimary …
  ...[94, 95, 109, 133, 134, 149, 164, 187, 189, 199, 203, 211, 216, 10058, 10107, 13435, 13436],
  // Its disk is full or fails, or its data is damaged: OutOfDiskSpace, FileOpenFailed, TooManyFilesOpen, DataCorruptionDetected …
  ...[37, 38, 39, 42, 176, 264, 301, 14031],
  // It has too much to do, or takes no writes for a while: TemporarilyUnavailable, UserWritesBlocked, ResourceExhausted …
  ...[205, 208, 261, 365, 371, 402, 433, 449, 450, 462],
  // Somebody else is in the way: LockTimeout, WriteConflict, SnapshotUnavailable, IndexBuildAborted, BackgroundOperation …
  ...[24, 46, 107, 112, 117, 175, 215, 225, 239, 246, 250, 251, 267, 272, 276, 285, 314, 363, 406, 412, 12586, 12587],
  // Its members do not agree, or its parts move: UnsatisfiableWriteConcern, StaleConfig, ShardNotFound, MovePrimaryInProgress …
  ...[63, 70, 79, 100, 136, 150, 234, 249, 319, 338, 341, 342, 343, 358, 414, 13388],
  // It does not know itself: InternalError, UnknownError
  ...[1, 8],
])

/** From the socket's limit, and what the driver makes of an `AbortSignal.timeout`. */
const timeoutNames = new Set(['MongoNetworkTimeoutError', 'MongoOperationTimeoutError'])

/** MaxTimeMSExpired, WriteConcernTimeout, NetworkInterfaceExceededTimeLimit, ExceededTimeLimit */
const timeoutCodes = new Set([50, 64, 202, 262])

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

/** Runs an operation of the driver; its failures are translated. */
export async function translated<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    throw translate(error)
  }
}

/**
 * True when the document breaks a unique index: the one with this name or on this field, or any.
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
  // the name stands in the message only: "… collection: blog.blogs index: slug_1 dup key: …"
  return / index: (\S+) dup key/.exec(error.message)?.[1] === indexOrField
}

/** UserNotFound, AuthenticationFailed, MechanismUnavailable, and Atlas's word for them. Numbers of the server's error_codes.yml. */
const REFUSED = new Set([11, 18, 334, 8000])
const UNAUTHORIZED = 13

/**
 * What a failed connection will meet again, however often it is tried; undefined when waiting may help. Looks through the
 * causes: the driver tells what happened to a server inside "no server could be selected".
 */
export function unusable(error: unknown): UnusableError | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof UnusableError) return undefined
    const advice = adviceFor(each)
    if (advice) return new UnusableError(`MongoDB: ${each.message}: ${advice}`, { cause: error })
  }
  return undefined
}

function adviceFor(error: Error): string | undefined {
  if ('code' in error && REFUSED.has(Number(error.code))) {
    return 'see user, password and authSource in its URL (without authSource users are looked for in the database of the URL)'
  }
  if (isTlsRefusal(error) || ('syscall' in error && error.syscall === 'open'))
    return 'see tls, tlsCAFile and tlsCertificateKeyFile in its URL'
  return undefined
}

/** What an operation says that needs rights, where somebody without any is let in; of that server `ping` says nothing. */
export function unpermitted(error: unknown, database: string): UnusableError | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === UNAUTHORIZED)) return undefined
  const advice = `name a user in its URL, with password, who may use the database ${JSON.stringify(database)}`
  return new UnusableError(`MongoDB: ${error.message}: ${advice}`, { cause: error })
}

/** The driver's words about a URL that it cannot read. They may quote it, and it has a password in it. */
export function unreadable(error: unknown, url: string): UnusableError {
  const password = /^[^/]*\/\/[^@/]*?:([^@]*)@/.exec(url)?.[1]
  const said = error instanceof Error ? error.message : String(error)
  const message = password ? said.replaceAll(password, '…') : said
  return new UnusableError(`the URL of MongoDB cannot be used: ${message}`)
}
