import { CommandError } from '../errors.ts'

/** SQLite's primary result codes: https://sqlite.org/rescode.html */
const sqlite = { readOnly: 8, ioError: 10, full: 13, cannotOpen: 14 } as const

/** SQLite gave the whole transaction up by itself, as it does when the disk is full or fails. */
export class TransactionEndedError extends Error {
  override readonly name = 'TransactionEndedError'
  constructor() {
    super('the storage gave the transaction up')
  }
}

/** What a client is told when the disk is full, fails or is read-only: MongoDB's OutOfDiskSpace. Undefined for all else. */
export function storageError(error: unknown): CommandError | undefined {
  if (error instanceof TransactionEndedError)
    return new CommandError('OutOfDiskSpace', `nothing was stored: ${error.message}; is the disk full?`)
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  const code = error.errcode & 0xff
  if (code === sqlite.full) return new CommandError('OutOfDiskSpace', 'nothing was stored: the disk is full')
  if (code === sqlite.ioError || code === sqlite.readOnly || code === sqlite.cannotOpen)
    return new CommandError('OutOfDiskSpace', `nothing was stored: ${error.message}`)
  return undefined
}
