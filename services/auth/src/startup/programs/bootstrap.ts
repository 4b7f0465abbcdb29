import { Email, NewApiKey, UserName } from '@blog-platform/auth-contract'
import { createOutbox } from 'tsmicro'
import { createPasswordHasher } from 'tsmicro/auth'
import { loadConfig, secret } from 'tsmicro/config'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { Announcements } from '../../api/announcements.ts'
import { ApiKeyRepository } from '../../api/api-key/repository.ts'
import { UserRepository } from '../../api/user/repository.ts'
import { MIGRATIONS } from '../../database.ts'
import { Env } from '../../env.ts'
import { createFirstAdmin, createWriterKey, recoverAdmin } from './first-admin.ts'
import { parse, UsageError, withDatabase } from './program.ts'

const HELP = `Creates the first administrator and the first API key of a new platform, and prints them once. It is also the way back
in if the last API key or the last administrator's password is lost.

Usage: npx tsmicro bootstrap --email E-MAIL [options]
       npx tsmicro bootstrap --recover --email E-MAIL
       npx tsmicro bootstrap --api-key [--comment TEXT]
  in an image: node src/bootstrap.ts …

  --email E-MAIL    the administrator's e-mail address, to sign in with
  --name NAME       the administrator's name, as others see it (default Administrator)
  --recover         gives an existing account a new password, reopens it and makes it an administrator's; its sessions
                    end. Also creates an API key
  --api-key         creates one more API key and nothing else
  --comment TEXT    whose key it is and what it is for (default: made by bootstrap)
  --help            shows this text

Environment:
  DATABASE_URL         the auth service's PostgreSQL; missing tables are created
  DATABASE_POOLER      set to transaction if that is PgBouncer or a similar pooler
  BOOTSTRAP_PASSWORD   the administrator's password, at least 12 characters; absent = one is generated and printed
  Either may be given as a file: DATABASE_URL_FILE, BOOTSTRAP_PASSWORD_FILE

Without --recover and --api-key it fails if there already is an administrator.
`

const BootstrapEnv = Type.Object({
  DATABASE_URL: Env.properties.DATABASE_URL,
  DATABASE_POOLER: Env.properties.DATABASE_POOLER,
  BOOTSTRAP_PASSWORD: Type.Optional(
    secret(
      Type.String({
        minLength: 12,
        maxLength: 100,
        description: 'Password of the first administrator; absent = one is generated and printed',
      }),
    ),
  ),
})

const ONCE = 'Secrets are shown only this once:'

/**
 * The bootstrap program. Resolves to its output.
 * @throws {UsageError | ConfigError | BootstrapError} for what the operator can correct
 * @throws what the database throws
 */
export async function runBootstrap(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const command = readArguments(args)
  if (command.kind === 'help') return HELP
  const env = loadConfig(BootstrapEnv, environment)
  return withDatabase(env, 'auth-bootstrap', async postgres => {
    await postgres.migrate(MIGRATIONS, { service: 'auth' })
    // What it changes is announced by the service, now or when it starts.
    const events = postgres.outboxStore()
    await events.prepare()
    const announcements = new Announcements(createOutbox(events))
    const apiKeys = new ApiKeyRepository(postgres.db, announcements)
    const { transaction } = postgres
    if (command.kind === 'api-key') return `${ONCE}\n\nAPI key   ${await createWriterKey(apiKeys, command.comment)}\n`
    const users = new UserRepository(postgres.db, announcements)
    const parts = { apiKeys, users, announcements, passwords: createPasswordHasher(), transaction }
    const admin = { ...command, password: env.BOOTSTRAP_PASSWORD }
    const [what, { password, apiKey }] =
      command.kind === 'first'
        ? ['The first administrator and API key.', await createFirstAdmin(parts, { ...admin, name: command.name })]
        : ['A new password, and one more API key.', await recoverAdmin(parts, admin)]
    return `${what} ${ONCE}

e-mail    ${command.email}
password  ${env.BOOTSTRAP_PASSWORD === undefined ? password : '(the one in BOOTSTRAP_PASSWORD)'}
API key   ${apiKey}
`
  })
}

type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'first'; readonly email: string; readonly name: string; readonly comment: string }
  | { readonly kind: 'recover'; readonly email: string; readonly comment: string }
  | { readonly kind: 'api-key'; readonly comment: string }

/** @throws {UsageError} for anything unknown, missing or unsuitable for an account */
function readArguments(args: readonly string[]): Command {
  const { values } = parse({
    args: [...args],
    options: {
      email: { type: 'string' },
      name: { type: 'string' },
      recover: { type: 'boolean' },
      'api-key': { type: 'boolean' },
      comment: { type: 'string', default: 'made by bootstrap' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const { email, name, recover, comment } = values
  if (values.help) return { kind: 'help' }
  if (!Value.Check(NewApiKey.properties.comment, comment)) throw new UsageError('--comment must be 1 to 200 characters')
  if (values['api-key']) {
    if (!recover && email === undefined && name === undefined) return { kind: 'api-key', comment }
    throw new UsageError('--api-key creates a key without an account: leave out --email, --name and --recover')
  }
  if (email === undefined) throw new UsageError('--email E-MAIL is required')
  if (!Value.Check(Email, email)) throw new UsageError(`--email ${email} is not an e-mail address`)
  const account = email.toLowerCase()
  if (recover) {
    if (name !== undefined) throw new UsageError('--recover does not change the name: leave out --name')
    return { kind: 'recover', email: account, comment }
  }
  const shown = name ?? 'Administrator'
  if (!Value.Check(UserName, shown)) throw new UsageError('--name must be one line of 2 to 200 characters')
  return { kind: 'first', email: account, name: shown, comment }
}
