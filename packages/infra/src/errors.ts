/** Base of every error this package throws on purpose: one line that says what to do. */
export class InfraError extends Error {
  override readonly name: string = 'InfraError'
}

/** No usable server was found: the message says what is missing and how to get it. */
export class MissingServerError extends InfraError {
  override readonly name = 'MissingServerError'
}

/** A server was found but did not come up. `output` holds its last log lines. */
export class ServerStartError extends InfraError {
  override readonly name = 'ServerStartError'
  readonly output: readonly string[]

  constructor(message: string, output: readonly string[] = []) {
    const tail = output.slice(-5).join(' | ')
    super(tail === '' ? message : `${message}: ${tail}`)
    this.output = output
  }
}

/** The wanted port belongs to somebody else. */
export class PortTakenError extends ServerStartError {}
