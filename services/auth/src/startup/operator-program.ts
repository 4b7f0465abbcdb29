/** A command line that is not understood; the message is one line. */
export class UsageError extends Error {}

/** Runs a program for the operator: what it resolves is printed, what it throws is one line and an exit code. */
export async function runProgram(name: string, program: () => Promise<string>): Promise<void> {
  try {
    process.stdout.write(await program())
  } catch (error) {
    process.stderr.write(`${name}: ${reasonOf(error)}${error instanceof UsageError ? ' (see --help)' : ''}\n`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}

/** The innermost message: "the service cannot answer now" does not tell an operator anything. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ')
  if (!(error instanceof Error)) return String(error)
  return error.name === 'SERVICE_UNAVAILABLE' && error.cause ? reasonOf(error.cause) : error.message
}
