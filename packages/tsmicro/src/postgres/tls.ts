import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { UnusableError } from '../errors/index.ts'

/** How a connection is protected. */
export interface Tls {
  /** What is given to `tls.connect`; undefined: no TLS. */
  readonly options: ConnectionOptions | undefined
  /** `sslmode=prefer`: without, where the server has none. */
  readonly optional: boolean
  /** The handshake begins at once, without asking for it (`sslnegotiation=direct`, PostgreSQL 17). */
  readonly direct: boolean
}

const MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
type Mode = (typeof MODES)[number]

/** What pg accepts beside libpq's parameter. */
const SSL: Readonly<Record<string, Mode>> = { true: 'require', '1': 'require', false: 'disable', '0': 'disable' }
const FILES = ['sslrootcert', 'sslcert', 'sslkey', 'sslcrl']
const OWN = [...FILES, 'sslmode', 'ssl', 'sslpassword', 'sslnegotiation', 'uselibpqcompat']
/** They would protect more than is done here: to pass over them would be a promise that is not kept. */
const UNSUPPORTED = [
  'channel_binding',
  'require_auth',
  'requirepeer',
  'gssencmode',
  'sslcertmode',
  'sslcrldir',
  'ssl_min_protocol_version',
]
const HARMLESS = ['prefer', 'disable', 'allow', '']

/**
 * Reads the parameters of libpq (PostgreSQL manual, "SSL Support") and takes them out: pg has another opinion of `prefer`,
 * `require` and `verify-ca`. Where the URL is silent, PGSSLMODE and its likes count, as in libpq; without them `prefer`.
 *
 * @throws {UnusableError} for what cannot be done as it is asked for
 */
export function takeTls(parameters: URLSearchParams, overSocketFile: boolean): Tls {
  const asked = (name: string) => parameters.get(name) ?? process.env[`PG${name.toUpperCase()}`] ?? undefined
  for (const name of UNSUPPORTED) {
    const value = asked(name) ?? ''
    if (!HARMLESS.includes(value)) throw new UnusableError(`${name}=${value} is not supported: leave it out`)
    parameters.delete(name)
  }
  const mode = modeOf(parameters.get('sslmode') ?? SSL[parameters.get('ssl') ?? ''] ?? asked('sslmode') ?? 'prefer')
  const direct = (asked('sslnegotiation') ?? 'postgres') === 'direct'
  const files = mode === 'disable' || overSocketFile ? {} : optionsOf(mode, asked)
  for (const name of OWN) parameters.delete(name)
  if (mode === 'disable' || overSocketFile) return { options: undefined, optional: false, direct: false }
  if (direct && mode === 'prefer') throw new UnusableError('sslnegotiation=direct needs sslmode=require or more')
  return { options: files, optional: mode === 'prefer', direct }
}

function modeOf(value: string): Mode {
  // pg's own name for what libpq calls require
  if (value === 'no-verify') return 'require'
  const mode = MODES.find(each => each === value)
  if (mode) return mode
  throw new UnusableError(`sslmode=${value} is not supported: it is to be one of ${MODES.join(', ')}`)
}

function optionsOf(mode: Mode, asked: (name: string) => string | undefined): ConnectionOptions {
  const [ca, cert, key, crl] = FILES.map(name => read(name, asked(name)))
  const own = {
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(crl !== undefined && { crl }),
    ...(asked('sslpassword') !== undefined && { passphrase: asked('sslpassword') }),
  }
  // As in libpq, an authority's certificate makes `require` verify.
  const checked = mode.startsWith('verify') || (mode === 'require' && ca !== undefined)
  if (!checked) return { ...own, rejectUnauthorized: false }
  if (mode === 'verify-full' || asked('sslrootcert') === 'system') return { ...own, ...(ca !== undefined && { ca }) }
  if (ca === undefined) {
    throw new UnusableError(`sslmode=verify-ca needs sslrootcert, the file of the authority's certificate`)
  }
  return { ...own, ca, checkServerIdentity: () => undefined }
}

function read(name: string, path: string | undefined): string | undefined {
  if (path === undefined || path === '' || (name === 'sslrootcert' && path === 'system')) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UnusableError(`${name} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
