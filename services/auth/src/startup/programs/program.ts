import { type ParseArgsConfig, parseArgs } from 'node:util'
import { createPostgres, type Postgres } from 'tsmicro/postgres'
import type { Tables } from '../../database.ts'
import type { Env } from '../../env.ts'

/** Invalid command-line arguments. The message is one line. */
export class UsageError extends Error {}

/** @throws {UsageError} for unknown options */
export function parse<const Options extends ParseArgsConfig>(options: Options) {
  try {
    return parseArgs(options)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ', 1)[0] : String(error))
  }
}

/** Runs a program for operators. It prints what the program resolves to; an error becomes one line and an exit code. */
export async function runProgram(name: string, program: () => Promise<string>): Promise<void> {
  try {
    process.stdout.write(await program())
  } catch (error) {
    process.stderr.write(`${name}: ${reasonOf(error)}${error instanceof UsageError ? ' (see --help)' : ''}\n`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}

/** The innermost message: "the service cannot answer now" tells an operator nothing. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ')
  if (!(error instanceof Error)) return String(error)
  return error.name === 'SERVICE_UNAVAILABLE' && error.cause ? reasonOf(error.cause) : error.message
}

/** Connects to the service's database for as long as `work` takes. */
export async function withDatabase<T>(
  { DATABASE_URL: url, DATABASE_POOLER: pooler }: Pick<Env, 'DATABASE_URL' | 'DATABASE_POOLER'>,
  applicationName: string,
  work: (postgres: Postgres<Tables>) => Promise<T>,
): Promise<T> {
  const postgres = createPostgres<Tables>({ url, pooler, applicationName, poolSize: 1 })
  try {
    await postgres.connect()
    return await work(postgres)
  } finally {
    await postgres.close()
  }
}
