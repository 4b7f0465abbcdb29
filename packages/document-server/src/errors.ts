/** The MongoDB error codes that this server uses, besides those that are named by their number. Source: MongoDB's `error_codes.yml`. */
const errorCodes = {
  InternalError: 1,
  BadValue: 2,
  FailedToParse: 9,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  AuthenticationFailed: 18,
  IllegalOperation: 20,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  InvalidIdField: 53,
  EmptyFieldName: 56,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  CommandNotSupported: 115,
  CursorInUse: 143,
  ExceededMemoryLimit: 146,
  InvalidPipelineOperator: 168,
  CannotIndexParallelArrays: 171,
  QueryPlanKilled: 175,
  QueryFeatureNotAllowed: 224,
  CursorKilled: 237,
  ConversionFailure: 241,
  ExceededTimeLimit: 262,
  OperationNotSupportedInTransaction: 263,
  ClientDisconnect: 279,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  APIVersionError: 322,
  APIStrictError: 323,
  MechanismUnavailable: 334,
  BSONObjectTooLarge: 10334,
  DuplicateKey: 11000,
  InterruptedAtShutdown: 11600,
  OutOfDiskSpace: 14031,
  IDLUnknownField: 40415,
} as const

export type ErrorName = keyof typeof errorCodes | `Location${number}`

/** An error that the client gets as MongoDB would report it: `{ ok: 0, code, codeName, errmsg }`. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: number
  readonly codeName: ErrorName
  /** Further fields of the reply, such as `keyPattern` and `keyValue` of a duplicate key. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(codeName: ErrorName, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.codeName = codeName
    this.code = codeName in errorCodes ? errorCodes[codeName as keyof typeof errorCodes] : Number(codeName.slice(8))
    this.details = details
  }
}

/** @throws CommandError always */
export function fail(message: string, code: ErrorName = 'BadValue', details?: CommandError['details']): never {
  throw new CommandError(code, message, details)
}
