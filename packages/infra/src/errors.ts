/** The base of every error that this package throws on purpose: one line that says what to do. */
export class InfraError extends Error {
  override readonly name: string = 'InfraError'
}

/** No usable server was found. The message says what is missing and how to get it. */
export class MissingServerError extends InfraError {
  override readonly name = 'MissingServerError'
}

/** A server was found but did not come up. `output` contains its last log lines. */
export class ServerStartError extends InfraError {
  override readonly name = 'ServerStartError'
  readonly output: readonly string[]

  constructor(message: string, output: readonly string[] = []) {
    const tail = output.slice(-5).join(' | ')
    super(tail === '' ? message : `${message}: ${tail}`)
    this.output = output
  }
}

/** Another program uses the requested port. */
export class PortTakenError extends ServerStartError {}
