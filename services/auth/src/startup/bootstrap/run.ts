import { createPasswordHasher } from 'tsmicro/passwords'
import { createPostgres } from 'tsmicro/postgres'
import { ApiKeyRepository } from '../../api/api-key/repository.ts'
import { UserRepository } from '../../api/user/repository.ts'
import { loadBootstrapEnv } from '../../config/bootstrap-env.ts'
import { MIGRATIONS } from '../../database/migrations.ts'
import type { Tables } from '../../database/tables.ts'
import { HELP, readArguments } from './arguments.ts'
import { makeFirstAdmin } from './first-admin.ts'

/**
 * The bootstrap program. Resolves what it prints.
 * @throws {UsageError | ConfigError | BootstrapError} for what the operator can mend
 * @throws what the database throws
 */
export async function runBootstrap(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const command = readArguments(args)
  if (command.help) return HELP
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
    const { email, name } = command
    const given = env.BOOTSTRAP_PASSWORD
    const { password, apiKey } = await makeFirstAdmin(parts, { email, name, password: given })
    return `The first administrator and API key. What is secret is shown this once:

e-mail    ${email}
password  ${given === undefined ? password : '(the one in BOOTSTRAP_PASSWORD)'}
API key   ${apiKey}
`
  } finally {
    await postgres.close()
  }
}
