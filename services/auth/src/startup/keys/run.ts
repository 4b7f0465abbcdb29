import { createKeyFile, KeyDirectory } from 'tsmicro/auth'
import { createPostgres } from 'tsmicro/postgres'
import { SigningKeyRepository } from '../../api/keys/repository.ts'
import { loadKeysEnv } from '../../config/keys-env.ts'
import type { Tables } from '../../database/tables.ts'
import { HELP, readArguments } from './arguments.ts'
import { describeKeys } from './states.ts'

/** Nothing was changed; the message is one line that says why. */
class KeysError extends Error {}

/**
 * The program for signing keys. Resolves what it prints; never a private key.
 * @throws {UsageError | ConfigError | KeysError} for what the operator can mend
 * @throws what the file system or the database throws
 */
export async function runKeys(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const command = readArguments(args)
  if (command.name === 'help') return HELP
  if (command.name === 'add') return add(loadKeysEnv.add(environment).KEYS_DIR)
  if (command.name === 'list') {
    const env = loadKeysEnv.list(environment)
    return withKeys(env, keys => list(keys, env.KEYS_DIR))
  }
  const { kid, force } = command
  if (force) return withKeys(loadKeysEnv.withdraw(environment), keys => withdraw(keys, kid))
  const env = loadKeysEnv.list(environment)
  return withKeys(env, async keys => {
    await refuseLast(keys, kid, env.KEYS_DIR)
    return withdraw(keys, kid)
  })
}

async function add(directory: string): Promise<string> {
  const { file, kid } = await createKeyFile(directory)
  return `${kid}  ${file}
Running auth services with this KEYS_DIR publish it at once and sign with it after KEY_ACTIVATION_SECONDS; the very first key
signs at once. \`keys list\` tells.
`
}

async function list(keys: SigningKeyRepository, directory: string): Promise<string> {
  const { files, problems } = await new KeyDirectory(directory).scan()
  const known = await keys.list()
  const lines = [...describeKeys(known, files), ...problems.values()]
  return lines.length === 0
    ? `no key in ${directory}, and none is published: \`keys add\` makes one\n`
    : lines.join('\n').concat('\n')
}

/** @throws {KeysError} when there would be no key to sign with */
async function refuseLast(keys: SigningKeyRepository, kid: string, directory: string): Promise<void> {
  const { files } = await new KeyDirectory(directory).scan()
  const { keys: known } = await keys.list()
  if (known.some(key => key.kid !== kid && key.withdrawnAt === undefined && files.has(key.kid))) return
  throw new KeysError(
    `no other key of ${directory} is published: make one (keys add) and wait until keys list shows it as published, or say --force`,
  )
}

async function withdraw(keys: SigningKeyRepository, kid: string): Promise<string> {
  if (!(await keys.withdraw(kid))) throw new KeysError(`no key ${kid} is published: keys list shows those that are`)
  return `${kid} is withdrawn: it signs no more, and what it signed is refused. Remove its file from every KEYS_DIR.\n`
}

type DatabaseEnv = ReturnType<typeof loadKeysEnv.withdraw>

async function withKeys<T>(env: DatabaseEnv, use: (keys: SigningKeyRepository) => Promise<T>): Promise<T> {
  const { DATABASE_URL: url, DATABASE_POOLER: pooler } = env
  const postgres = createPostgres<Tables>({ url, pooler, applicationName: 'auth-keys', poolSize: 1 })
  try {
    await postgres.connect()
    // Only the service publishes, so the lives of keys are its own.
    const lives = { activationSeconds: 0, keepSeconds: 0 }
    return await use(new SigningKeyRepository(postgres.db, postgres.transaction, lives))
  } finally {
    await postgres.close()
  }
}
