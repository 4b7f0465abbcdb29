import { parseArgs } from 'node:util'
import { UsageError } from '../operator-program.ts'

export const HELP = `Makes, lists and withdraws the keys that sign tokens. The running service needs no restart.

Usage: npx tsmicro keys COMMAND
  in an image: node --conditions=@tsmicro/source services/auth/src/keys.ts COMMAND

  add                     makes a new key file in KEYS_DIR (mode 600; nothing is replaced)
  list                    what each key does now
  withdraw KID [--force]  a key that somebody else may have: it signs no more, and what it signed is refused everywhere
                          within two seconds, so its users sign in anew. This cannot be undone.
                          --force also when there is no other key, and nobody can sign in until there is one

  --help                  this text

Environment:
  KEYS_DIR       directory of the key files (withdraw --force does without)
  DATABASE_URL   the auth service's PostgreSQL (list, withdraw); may be given as a file: DATABASE_URL_FILE
`

export type Command =
  | { readonly name: 'help' }
  | { readonly name: 'add' }
  | { readonly name: 'list' }
  | { readonly name: 'withdraw'; readonly kid: string; readonly force: boolean }

/** @throws {UsageError} for anything unknown or missing */
export function readArguments(args: readonly string[]): Command {
  const { values, positionals } = parse(args)
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

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      // A kid is base64url and may begin with a dash.
      args: args.map(arg => (/^-[\w-]{42}$/.test(arg) ? ` ${arg}` : arg)),
      allowPositionals: true,
      options: { force: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ', 1)[0] : String(error))
  }
}
