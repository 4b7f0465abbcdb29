import { createPasswordHasher } from 'tsmicro/auth'
import { createPostgres } from 'tsmicro/postgres'
import { ApiKeyRepository } from '../../api/api-key/repository.ts'
import { UserRepository } from '../../api/user/repository.ts'
import { loadBootstrapEnv } from '../../config/bootstrap-env.ts'
import { MIGRATIONS } from '../../database/migrations.ts'
import type { Tables } from '../../database/tables.ts'
import { type Command, HELP, readArguments } from './arguments.ts'
import { type Bootstrapped, makeApiKey, makeFirstAdmin, recoverAdmin } from './make.ts'

/**
 * The bootstrap program. Resolves what it prints.
 * @throws {UsageError | ConfigError | BootstrapError} for what the operator can mend
 * @throws what the database throws
 */
export async function runBootstrap(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const command = readArguments(args)
  if (command.kind === 'help') return HELP
  const env = loadBootstrapEnv(environment)
  const { DATABASE_URL: url, DATABASE_POOLER: pooler } = env
  const postgres = createPostgres<Tables>({ url, pooler, applicationName: 'auth-bootstrap', poolSize: 1 })
  try {
    await postgres.connect()
    await postgres.migrate(MIGRATIONS, { service: 'auth' })
    const parts = {
      apiKeys: new ApiKeyRepository(postgres.db),
      users: new UserRepository(postgres.db),
      passwords: createPasswordHasher(),
      transaction: postgres.transaction,
    }
    if (command.kind === 'api-key') return `${ONCE}\n\nAPI key   ${await makeApiKey(parts, command.comment)}\n`
    const admin = { ...command, password: env.BOOTSTRAP_PASSWORD }
    const made =
      command.kind === 'first' ? makeFirstAdmin(parts, { ...admin, name: command.name }) : recoverAdmin(parts, admin)
    return printed(command, env.BOOTSTRAP_PASSWORD !== undefined, await made)
  } finally {
    await postgres.close()
  }
}

const ONCE = 'What is secret is shown this once:'

function printed(
  { kind, email }: Command & { email: string },
  wasGiven: boolean,
  { password, apiKey }: Bootstrapped,
): string {
  const what = kind === 'first' ? 'The first administrator and API key.' : 'A new password, and one more API key.'
  return `${what} ${ONCE}

e-mail    ${email}
password  ${wasGiven ? '(the one in BOOTSTRAP_PASSWORD)' : password}
API key   ${apiKey}
`
}
