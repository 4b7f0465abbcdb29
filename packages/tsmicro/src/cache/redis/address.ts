import { readFileSync } from 'node:fs'
import { UnusableError } from '../../errors/index.ts'

/** Parameters of the URL, named as the options of redis-cli are, and what node:tls calls them. */
const FILES = { cacert: 'ca', cert: 'cert', key: 'key' } as const

/** What a client of Redis connects to. */
interface RedisAddress {
  /** Without our parameters. */
  readonly url: string
  /** Paths. */
  readonly files: Readonly<Partial<Record<Parameter, string>>>
}

type Parameter = keyof typeof FILES
type Option = (typeof FILES)[Parameter]

/**
 * Reads `rediss://user:password@host:6379?cacert=FILE&cert=FILE&key=FILE`.
 *
 * @throws {UnusableError} for a parameter that is unknown or needs TLS
 */
export function readAddress(url: string): RedisAddress {
  const [base = '', query = ''] = url.split(/\?(.*)/s)
  const files: Partial<Record<Parameter, string>> = {}
  for (const [name, path] of new URLSearchParams(query)) {
    if (!Object.hasOwn(FILES, name) || path === '')
      throw new UnusableError(
        `the URL of Redis has the parameter ${JSON.stringify(name)}: use ${Object.keys(FILES).join(', ')} with the path of a file`,
      )
    if (!base.startsWith('rediss:'))
      throw new UnusableError(`${name} in the URL of Redis needs TLS: begin it with rediss://`)
    files[name as Parameter] = path
  }
  if ((files.cert === undefined) !== (files.key === undefined))
    throw new UnusableError('the URL of Redis has only one of cert and key: a certificate needs its key')
  return { url: base, files }
}

/** PEM texts for node:tls, as they are in the files now. @throws {UnusableError} for a file that cannot be read */
export function readFiles(files: RedisAddress['files']): Readonly<Partial<Record<Option, string>>> {
  const texts = Object.entries(files).map(([name, path]) => [FILES[name as Parameter], readText(name, path)])
  return Object.fromEntries(texts)
}

function readText(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UnusableError(`${name} of Redis cannot be read: ${(cause as Error).message}`, { cause })
  }
}
