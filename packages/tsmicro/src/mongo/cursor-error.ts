/**
 * What was given as a cursor is none of this list. A procedure whose callers send cursors catches it and throws what its contract
 * declares: uncaught it is told as INTERNAL, as everything that no contract says.
 *
 * @example
 * try {
 *   await blogs.findAfter({ filter: {}, sort: { slug: 1 }, cursor: 'made up', limit: 10 })
 * } catch (error) {
 *   error instanceof CursorError // true
 * }
 */
export class CursorError extends Error {
  override readonly name = 'CursorError'
}
