/** Something the person at the keyboard can put right: shown as one line, without a stack. */
export class CliError extends Error {
  override readonly name: string = 'CliError'
}

/** A command line that cannot be understood: exit code 2. */
export class UsageError extends CliError {
  override readonly name = 'UsageError'
}
