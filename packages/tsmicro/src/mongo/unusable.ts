import { isTlsRefusal, UnusableError } from '../errors/index.ts'

/** UserNotFound, AuthenticationFailed, MechanismUnavailable, and Atlas's word for them. Numbers of the server's error_codes.yml. */
const REFUSED = new Set([11, 18, 334, 8000])
const UNAUTHORIZED = 13

/**
 * What a failed connection will meet again, however often it is tried; undefined when waiting may help. Looks through the
 * causes: the driver tells what happened to a server inside "no server could be selected".
 */
export function unusable(error: unknown): UnusableError | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof UnusableError) return undefined
    const advice = adviceFor(each)
    if (advice) return new UnusableError(`MongoDB: ${each.message}: ${advice}`, { cause: error })
  }
  return undefined
}

function adviceFor(error: Error): string | undefined {
  if ('code' in error && REFUSED.has(Number(error.code))) {
    return 'see user, password and authSource in its URL (without authSource users are looked for in the database of the URL)'
  }
  if (isTlsRefusal(error) || ('syscall' in error && error.syscall === 'open'))
    return 'see tls, tlsCAFile and tlsCertificateKeyFile in its URL'
  return undefined
}

/** What an operation says that needs rights, where somebody without any is let in; of that server `ping` says nothing. */
export function unpermitted(error: unknown, database: string): UnusableError | undefined {
  if (!(error instanceof Error && 'code' in error && error.code === UNAUTHORIZED)) return undefined
  const advice = `name a user in its URL, with password, who may use the database ${JSON.stringify(database)}`
  return new UnusableError(`MongoDB: ${error.message}: ${advice}`, { cause: error })
}

/** The driver's words about a URL that it cannot read. They may quote it, and it has a password in it. */
export function unreadable(error: unknown, url: string): UnusableError {
  const password = /^[^/]*\/\/[^@/]*?:([^@]*)@/.exec(url)?.[1]
  const said = error instanceof Error ? error.message : String(error)
  const message = password ? said.replaceAll(password, '…') : said
  return new UnusableError(`the URL of MongoDB cannot be used: ${message}`)
}
