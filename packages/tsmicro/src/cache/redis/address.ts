import { readFileSync } from 'node:fs'
import { UnusableError } from '../../errors/index.ts'

/** Parameters of the URL, named as the options of redis-cli are, and what node:tls calls them. */
const FILES = { cacert: 'ca', cert: 'cert', key: 'key' } as const

/** What a client of Redis connects to. */
interface RedisAddress {
  /** Without our parameters. */
  readonly url: string
  /** For node:tls: PEM texts. */
  readonly tls: Readonly<Partial<Record<(typeof FILES)[keyof typeof FILES], string>>>
}

/**
 * Reads `rediss://user:password@host:6379?cacert=FILE&cert=FILE&key=FILE`, and the files, which may have changed since the last time.
 *
 * @throws {UnusableError} for a parameter that is unknown or needs TLS, and for a file that cannot be read
 */
export function readAddress(url: string): RedisAddress {
  const [base = '', query = ''] = url.split(/\?(.*)/s)
  const tls: Record<string, string> = {}
  for (const [name, path] of new URLSearchParams(query)) {
    const option = Object.hasOwn(FILES, name) ? FILES[name as keyof typeof FILES] : undefined
    if (option === undefined || path === '')
      throw new UnusableError(
        `the URL of Redis has the parameter ${JSON.stringify(name)}: use ${Object.keys(FILES).join(', ')} with the path of a file`,
      )
    if (!base.startsWith('rediss:'))
      throw new UnusableError(`${name} in the URL of Redis needs TLS: begin it with rediss://`)
    tls[option] = readText(name, path)
  }
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw new UnusableError('the URL of Redis has only one of cert and key: a certificate needs its key')
  return { url: base, tls }
}

function readText(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UnusableError(`${name} of Redis cannot be read: ${(cause as Error).message}`, { cause })
  }
}
