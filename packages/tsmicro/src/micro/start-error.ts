/**
 * A service could not start; the message is one line that says what to do.
 *
 * @example
 * throw new StartError('there is no key in KEYS_DIR: npx tsmicro keys create makes one')
 */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
  }
}
