import { UsageError } from './startup/bootstrap/arguments.ts'
import { runBootstrap } from './startup/bootstrap/run.ts'

try {
  process.stdout.write(await runBootstrap(process.argv.slice(2), process.env))
} catch (error) {
  process.stderr.write(`bootstrap: ${reasonOf(error)}${error instanceof UsageError ? ' (see --help)' : ''}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

/** The innermost message: "the service cannot answer now" does not tell an operator anything. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ')
  if (!(error instanceof Error)) return String(error)
  return error.name === 'SERVICE_UNAVAILABLE' && error.cause ? reasonOf(error.cause) : error.message
}
