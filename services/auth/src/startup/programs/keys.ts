import { createKeyFile, KeyDirectory } from 'tsmicro/auth'
import { loadConfig } from 'tsmicro/config'
import Type from 'typebox'
import { type SigningKey, SigningKeyRepository } from '../../api/signing-key/repository.ts'
import { Env } from '../../env.ts'
import { parse, UsageError, withDatabase } from './program.ts'

const HELP = `Creates, lists and withdraws the keys that sign tokens. The running service needs no restart.

Usage: npx tsmicro keys COMMAND
  in an image: node src/keys.ts COMMAND

  add                     creates a new key file in KEYS_DIR (mode 600; replaces nothing)
  list                    shows what each key does now
  withdraw KID [--force]  for a key that somebody else may have: it no longer signs, and within a second everything it
                          signed is refused everywhere, so its users have to sign in again. This cannot be undone.
                          --force allows this even for the only key; nobody can sign in until there is a new one

  --help                  shows this text

Environment:
  KEYS_DIR       directory of the key files (not needed for withdraw --force)
  DATABASE_URL   the auth service's PostgreSQL (list, withdraw); may be given as a file: DATABASE_URL_FILE
`

const { DATABASE_URL, DATABASE_POOLER, KEYS_DIR } = Env.properties
const AddEnv = Type.Object({ KEYS_DIR })
const WithdrawEnv = Type.Object({ DATABASE_URL, DATABASE_POOLER })
const ListEnv = Type.Object({ KEYS_DIR, DATABASE_URL, DATABASE_POOLER })

/** Nothing was changed. The message is one line that says why. */
class KeysError extends Error {}

/**
 * The program for signing keys. Resolves to its output, which never includes a private key.
 * @throws {UsageError | ConfigError | KeysError} for what the operator can correct
 * @throws what the file system or the database throws
 */
export async function runKeys(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const command = readArguments(args)
  if (command.name === 'help') return HELP
  if (command.name === 'add') return add(loadConfig(AddEnv, environment).KEYS_DIR)
  if (command.name === 'withdraw' && command.force) {
    return withKeys(loadConfig(WithdrawEnv, environment), keys => withdraw(keys, command.kid))
  }
  const env = loadConfig(ListEnv, environment)
  if (command.name === 'list') return withKeys(env, keys => list(keys, env.KEYS_DIR))
  return withKeys(env, async keys => {
    await refuseLast(keys, command.kid, env.KEYS_DIR)
    return withdraw(keys, command.kid)
  })
}

type Command =
  | { readonly name: 'help' }
  | { readonly name: 'add' }
  | { readonly name: 'list' }
  | { readonly name: 'withdraw'; readonly kid: string; readonly force: boolean }

/** @throws {UsageError} for anything unknown or missing */
export function readArguments(args: readonly string[]): Command {
  const { values, positionals } = parse({
    // A kid is base64url and may begin with a dash.
    args: args.map(arg => (/^-[\w-]{42}$/.test(arg) ? ` ${arg}` : arg)),
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  })
  if (values.help) return { name: 'help' }
  const [name, kid, ...rest] = positionals.map(text => text.trim())
  if (name === undefined) throw new UsageError('a command is missing: add, list or withdraw')
  if (name !== 'add' && name !== 'list' && name !== 'withdraw') throw new UsageError(`unknown command "${name}"`)
  const surplus = name === 'withdraw' ? rest[0] : kid
  if (surplus !== undefined) throw new UsageError(`unknown argument "${surplus}"`)
  if (name === 'withdraw') {
    if (kid === undefined) throw new UsageError('withdraw which key? `keys list` shows the kids')
    return { name, kid, force: values.force }
  }
  if (values.force) throw new UsageError('--force belongs to withdraw')
  return { name }
}

async function add(directory: string): Promise<string> {
  const { file, kid } = await createKeyFile(directory)
  return `${kid}  ${file}
Running auth services with this KEYS_DIR publish it at once and sign with it after KEY_ACTIVATION_SECONDS; the very first key
signs at once. \`keys list\` shows its state.
`
}

async function list(keys: SigningKeyRepository, directory: string): Promise<string> {
  const { files, problems } = await new KeyDirectory(directory).scan()
  const lines = [...describeKeys(await keys.list(), files), ...problems.values()]
  return lines.length === 0
    ? `no key in ${directory}, and none is published: \`keys add\` creates one\n`
    : lines.join('\n').concat('\n')
}

/** @throws {KeysError} if no key would be left to sign with */
async function refuseLast(keys: SigningKeyRepository, kid: string, directory: string): Promise<void> {
  const { files } = await new KeyDirectory(directory).scan()
  const { keys: known } = await keys.list()
  if (known.some(key => key.kid !== kid && key.withdrawnAt === undefined && files.has(key.kid))) return
  throw new KeysError(
    `no other key of ${directory} is published: create one (keys add) and wait until keys list shows it as published, or use --force`,
  )
}

async function withdraw(keys: SigningKeyRepository, kid: string): Promise<string> {
  if (!(await keys.withdraw(kid))) throw new KeysError(`no key ${kid} is published: keys list shows those that are`)
  return `${kid} is withdrawn: it no longer signs, and what it signed is refused. Remove its file from every KEYS_DIR.\n`
}

function withKeys(env: Parameters<typeof withDatabase>[0], use: (keys: SigningKeyRepository) => Promise<string>) {
  // Only the service publishes keys, so the lifetimes do not matter here.
  const lifetimes = { activationSeconds: 0, keepSeconds: 0 }
  return withDatabase(env, 'auth-keys', ({ db, transaction }) =>
    use(new SigningKeyRepository(db, transaction, lifetimes)),
  )
}

/** One line for each key: its kid, what it does, and its file. `files` are the files in the directory, by kid. */
export function describeKeys(
  { now, keys }: Awaited<ReturnType<SigningKeyRepository['list']>>,
  files: ReadonlyMap<string, string>,
): readonly string[] {
  const usable = keys.filter(({ kid, withdrawnAt }) => withdrawnAt === undefined && files.has(kid))
  const signing = usable.find(({ signsFrom }) => signsFrom <= now) ?? usable[0]
  const unpublished = [...files].filter(([kid]) => !keys.some(key => key.kid === kid)).reverse()
  return [
    ...unpublished.map(
      ([kid, file]) => `${kid}  not published yet: is an auth service with this KEYS_DIR running?  ${file}`,
    ),
    ...keys.map(key => {
      const file = files.get(key.kid)
      return `${key.kid}  ${stateOf(key, key === signing, file !== undefined, now)}  ${file ?? '-'}`
    }),
  ]
}

function stateOf({ withdrawnAt, signsFrom, goodUntil }: SigningKey, signs: boolean, hasFile: boolean, now: number) {
  if (withdrawnAt !== undefined) return `withdrawn ${time(withdrawnAt)}${hasFile ? '; remove its file' : ''}`
  if (signs) return 'signs'
  if (!hasFile) return `no file here; retiring until ${time(goodUntil)}`
  if (signsFrom > now) return `published, signs from ${time(signsFrom)}`
  return 'verifies, no longer signs: its file may be removed'
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
