/** The subset of MongoDB's error codes this server answers with. Source: MongoDB `error_codes.yml`. */
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
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  CommandNotSupported: 115,
  InvalidPipelineOperator: 168,
  CursorInUse: 143,
  ExceededMemoryLimit: 146,
  CannotIndexParallelArrays: 171,
  QueryPlanKilled: 175,
  CursorKilled: 237,
  ExceededTimeLimit: 262,
  OperationNotSupportedInTransaction: 263,
  ClientDisconnect: 279,
  QueryExceededMemoryLimitNoDiskUseAllowed: 292,
  MechanismUnavailable: 334,
  Location4568: 4568,
  BSONObjectTooLarge: 10334,
  DuplicateKey: 11000,
  InterruptedAtShutdown: 11600,
  OutOfDiskSpace: 14031,
  Location15952: 15952,
  Location15955: 15955,
  Location17217: 17217,
  Location31249: 31249,
  Location40234: 40234,
  Location40228: 40228,
  Location40323: 40323,
  Location40324: 40324,
  IDLUnknownField: 40415,
  Location51091: 51091,
  Location51156: 51156,
} as const

export type ErrorName = keyof typeof errorCodes

/** A failure that is answered to the client as MongoDB would answer it: `{ ok: 0, code, codeName, errmsg }`. */
export class CommandError extends Error {
  readonly code: number
  readonly codeName: ErrorName
  /** Further fields of the reply, such as `keyPattern` and `keyValue` of a duplicate key. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(codeName: ErrorName, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'CommandError'
    this.codeName = codeName
    this.code = errorCodes[codeName]
    this.details = details
  }
}
