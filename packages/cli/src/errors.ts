/** A problem that the user can solve. It is shown in one line, without a stack. */
export class CliError extends Error {
  override readonly name: string = 'CliError'
}

/** The command line is invalid: exit code 2. */
export class UsageError extends CliError {
  override readonly name = 'UsageError'
}
