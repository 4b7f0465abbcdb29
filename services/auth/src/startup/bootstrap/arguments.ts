import { parseArgs } from 'node:util'
import { Email, NewApiKey, UserName } from '@blog-platform/auth-contract'
import { Value } from 'typebox/value'
import { UsageError } from '../operator-program.ts'

export const HELP = `Makes the first administrator and the first API key of a new platform, and prints them once. It is also the way back
in when the last API key or the last administrator's password is lost.

Usage: npx tsmicro bootstrap --email E-MAIL [options]
       npx tsmicro bootstrap --recover --email E-MAIL
       npx tsmicro bootstrap --api-key [--comment TEXT]
  in an image: node --conditions=@tsmicro/source services/auth/src/bootstrap.ts …

  --email E-MAIL    the administrator's, to sign in with
  --name NAME       the administrator's, as others see it (default Administrator)
  --recover         gives an account that is there a new password and makes it an open one of an administrator; its
                    sessions end. An API key is made with it
  --api-key         makes one more API key and nothing else
  --comment TEXT    whose key it is and what for (default: made by bootstrap)
  --help            this text

Environment:
  DATABASE_URL         the auth service's PostgreSQL; its tables are made when they are missing
  DATABASE_POOLER      transaction, when that is behind PgBouncer or its likes
  BOOTSTRAP_PASSWORD   the administrator's password, at least 12 characters; absent = one is made and printed
  Either may be given as a file: DATABASE_URL_FILE, BOOTSTRAP_PASSWORD_FILE

Without --recover and --api-key it refuses when there is an administrator already.
`

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'first'; readonly email: string; readonly name: string; readonly comment: string }
  | { readonly kind: 'recover'; readonly email: string; readonly comment: string }
  | { readonly kind: 'api-key'; readonly comment: string }

/** @throws {UsageError} for anything unknown, missing or unfit for an account */
export function readArguments(args: readonly string[]): Command {
  const { help, email, name, recover, comment = 'made by bootstrap', 'api-key': apiKey } = parse(args)
  if (help) return { kind: 'help' }
  if (!Value.Check(NewApiKey.properties.comment, comment)) throw new UsageError('--comment must be 1 to 200 characters')
  if (apiKey) {
    if (recover || email !== undefined || name !== undefined)
      throw new UsageError('--api-key makes a key for no account: leave --email, --name and --recover out')
    return { kind: 'api-key', comment }
  }
  if (email === undefined) throw new UsageError('--email E-MAIL is required')
  if (!Value.Check(Email, email)) throw new UsageError(`--email ${email} is no e-mail address`)
  const account = email.toLowerCase()
  if (recover) {
    if (name !== undefined) throw new UsageError('--recover changes no name: leave --name out')
    return { kind: 'recover', email: account, comment }
  }
  const shown = name ?? 'Administrator'
  if (!Value.Check(UserName, shown)) throw new UsageError('--name must be one line of 2 to 200 characters')
  return { kind: 'first', email: account, name: shown, comment }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        email: { type: 'string' },
        name: { type: 'string' },
        recover: { type: 'boolean', default: false },
        'api-key': { type: 'boolean', default: false },
        comment: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ', 1)[0] : String(error))
  }
}
