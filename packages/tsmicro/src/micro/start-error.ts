/**
 * A service could not start. The message is one line that says what to do.
 *
 * @example
 * throw new StartError('there is no key in KEYS_DIR: npx tsmicro keys create makes one')
 */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** Fastify says what is wrong with a route or plugin, but not who added it. Its router throws assertion errors. */
export function isFastifyError(error: unknown): error is Error {
  return (
    error instanceof Error && /^((FST|AVV)_ERR_|ERR_ASSERTION$)/.test(String((error as NodeJS.ErrnoException).code))
  )
}
