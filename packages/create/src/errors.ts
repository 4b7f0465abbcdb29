/** What the caller can set right: the message says how. */
export class CreateError extends Error {
  override readonly name = 'CreateError'
}
