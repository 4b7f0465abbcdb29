import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { UnusableError } from '../errors/index.ts'

/** How a connection is protected. */
interface Tls {
  /** For `tls.connect`; undefined for no TLS. */
  readonly options: ConnectionOptions | undefined
  /** `sslmode=prefer`: no TLS if the server does not support it. */
  readonly optional: boolean
  /** The handshake begins at once, without a request (`sslnegotiation=direct`, PostgreSQL 17). */
  readonly direct: boolean
}

const MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
type Mode = (typeof MODES)[number]

/** What pg accepts in addition to libpq's parameter. */
const SSL: Readonly<Record<string, Mode>> = { true: 'require', '1': 'require', false: 'disable', '0': 'disable' }
const FILES = ['sslrootcert', 'sslcert', 'sslkey', 'sslcrl']
const OWN = [...FILES, 'sslmode', 'ssl', 'sslpassword', 'sslnegotiation', 'uselibpqcompat']
/** Settings for protection that is not implemented: to ignore them would be a broken promise. */
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
 * Reads libpq's parameters (PostgreSQL manual, "SSL Support") and removes them, as pg treats `prefer`, `require` and
 * `verify-ca` differently. As in libpq, PGSSLMODE and similar variables apply where the URL says nothing; without them it is
 * `prefer`.
 *
 * @throws {UnusableError} for settings that are not supported
 */
export function takeTls(parameters: URLSearchParams, overSocketFile: boolean): Tls {
  const asked = (name: string) => parameters.get(name) ?? process.env[`PG${name.toUpperCase()}`] ?? undefined
  for (const name of UNSUPPORTED) {
    const value = asked(name) ?? ''
    if (!HARMLESS.includes(value)) throw new UnusableError(`${name}=${value} is not supported: remove it`)
    parameters.delete(name)
  }
  const mode = modeOf(parameters.get('sslmode') ?? SSL[parameters.get('ssl') ?? ''] ?? asked('sslmode') ?? 'prefer')
  const direct = (asked('sslnegotiation') ?? 'postgres') === 'direct'
  const files = mode === 'disable' || overSocketFile ? {} : optionsOf(mode, asked)
  for (const name of OWN) parameters.delete(name)
  if (mode === 'disable' || overSocketFile) return { options: undefined, optional: false, direct: false }
  if (direct && mode === 'prefer') throw new UnusableError('sslnegotiation=direct needs sslmode=require or stricter')
  return { options: files, optional: mode === 'prefer', direct }
}

function modeOf(value: string): Mode {
  // pg's own name for libpq's `require`.
  if (value === 'no-verify') return 'require'
  const mode = MODES.find(each => each === value)
  if (mode) return mode
  throw new UnusableError(`sslmode=${value} is not supported: use one of ${MODES.join(', ')}`)
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
