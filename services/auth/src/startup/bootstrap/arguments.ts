import { parseArgs } from 'node:util'
import { Email, UserName } from '@blog-platform/auth-contract'
import { Value } from 'typebox/value'
import { UsageError } from '../operator-program.ts'

export const HELP = `Makes the first administrator and the first API key of a new platform, and prints them once.

Usage: npx tsmicro bootstrap --email E-MAIL [options]
  in an image: node --conditions=@tsmicro/source services/auth/src/bootstrap.ts --email E-MAIL [options]

  --email E-MAIL    the administrator's, to sign in with
  --name NAME       the administrator's, as others see it (default Administrator)
  --help            this text

Environment:
  DATABASE_URL         the auth service's PostgreSQL; its tables are made when they are missing
  DATABASE_POOLER      transaction, when that is behind PgBouncer or its likes
  BOOTSTRAP_PASSWORD   the administrator's password, at least 12 characters; absent = one is made and printed
  Either may be given as a file: DATABASE_URL_FILE, BOOTSTRAP_PASSWORD_FILE

It refuses when there is an administrator already.
`

export type Command = { readonly help: true } | { readonly help: false; readonly email: string; readonly name: string }

/** @throws {UsageError} for anything unknown, missing or unfit for an account */
export function readArguments(args: readonly string[]): Command {
  const { help, email, name } = parse(args)
  if (help) return { help: true }
  if (email === undefined) throw new UsageError('--email E-MAIL is required')
  if (!Value.Check(Email, email)) throw new UsageError(`--email ${email} is no e-mail address`)
  if (!Value.Check(UserName, name)) throw new UsageError('--name must be one line of 2 to 200 characters')
  return { help: false, email: email.toLowerCase(), name }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        email: { type: 'string' },
        name: { type: 'string', default: 'Administrator' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ', 1)[0] : String(error))
  }
}
