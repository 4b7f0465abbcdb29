/**
 * What was given as a cursor is none of this list. A procedure whose callers send cursors catches it and throws what its contract
 * declares: uncaught it is told as INTERNAL, as everything that no contract says.
 */
export class CursorError extends Error {
  override readonly name = 'CursorError'
}
