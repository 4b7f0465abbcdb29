import { Int32 } from 'bson'
import type { Doc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'

/** Documents or statements in one writing command, as in MongoDB. */
const mostStatements = 100_000

/**
 * Runs the statements of a writing command by MongoDB's rules: after a failure an ordered command stops, an unordered
 * one goes on; failures are listed with the index of their statement. What succeeded stays.
 */
export function runStatements<T>(
  statements: readonly T[],
  ordered: boolean,
  run: (statement: T, index: number) => void,
): Doc[] {
  if (statements.length === 0 || statements.length > mostStatements)
    throw new CommandError(
      'BadValue',
      `Write batch sizes must be between 1 and ${mostStatements}. Got ${statements.length} operations.`,
    )
  const writeErrors: Doc[] = []
  for (const [index, statement] of statements.entries()) {
    try {
      run(statement, index)
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      writeErrors.push({
        index: new Int32(index),
        code: new Int32(error.code),
        errmsg: error.message,
        ...error.details,
      })
      if (ordered) break
    }
  }
  return writeErrors
}

/** `writeErrors` is left out of a reply without failures. */
export const withErrors = (reply: Doc, writeErrors: readonly Doc[]): Doc =>
  writeErrors.length > 0 ? { ...reply, writeErrors } : reply
