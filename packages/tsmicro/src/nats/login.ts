import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { checkServerIdentity, type ConnectionOptions as TlsOptions } from 'node:tls'
import { type Authenticator, credsAuthenticator, nkeyAuthenticator } from '@nats-io/nats-core'
import type { Log } from '../call/index.ts'
import { rootMessage, UnusableError } from '../errors/index.ts'
import type { ServerUrl } from './server-url.ts'

/** A user's seed, in a file that may have other lines. */
const SEED = /^\s*(SU[A-Z2-7]{56})\s*$/m

/**
 * Signs in with a file, which is read again for each connection: a new one is used from the next connection on. Undefined if the URL names
 * no file.
 *
 * @throws {UnusableError} if the file cannot be used now. Later the last usable one goes on, and the log says so: the client library would
 * give up for good after an error
 */
export function fileAuthenticator({ files }: ServerUrl, log: Log | undefined): Authenticator | undefined {
  const { creds, nkey } = files
  const path = creds ?? nkey
  if (path === undefined) return undefined
  const read = () => (creds === undefined ? fromSeed(path) : fromCreds(path))
  let usable = read()
  let told = ''
  return nonce => {
    try {
      usable = read()
      told = ''
    } catch (err) {
      const problem = rootMessage(err)
      if (problem !== told) log?.error({ err }, `NATS: ${problem}; the last credentials are used`)
      told = problem
    }
    return usable(nonce)
  }
}

function fromSeed(path: string): Authenticator {
  const seed = SEED.exec(readText('nkey', path))?.[1]
  return tried(
    nkeyAuthenticator(Buffer.from(seed ?? '')),
    `nkey=${path} has no seed of a user (SU…)`,
    seed !== undefined,
  )
}

function fromCreds(path: string): Authenticator {
  const text = readText('creds', path)
  return tried(credsAuthenticator(Buffer.from(text)), `creds=${path} is not a file with a JWT and a seed`, text !== '')
}

/** Their own errors come too late, and may quote the secret: they are not passed on. */
function tried(authenticator: Authenticator, problem: string, readable: boolean): Authenticator {
  try {
    if (readable && authenticator('a nonce')) return authenticator
  } catch {}
  throw new UnusableError(`${problem}: make a new one for this user`)
}

/** Options of the client library and of node:tls; undefined without TLS. @throws {UnusableError} if a file cannot be read now */
export function tlsOf({ tls, tlsFirst, files }: ServerUrl): TlsOptions | undefined {
  if (!tls) return undefined
  const { tlsca: caFile, tlscert: certFile, tlskey: keyFile } = files
  for (const name of ['tlsca', 'tlscert', 'tlskey'] as const) if (files[name]) readText(name, files[name])
  // The library reads the files again for each connection.
  const named = { caFile, certFile, keyFile, handshakeFirst: tlsFirst || undefined }
  return {
    ...(Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)) as object),
    checkServerIdentity: identityCheck,
  }
}

/** For an address the library names no server, and Node would then take the certificate for "localhost" for that of any address. */
const identityCheck: TlsOptions['checkServerIdentity'] = function (this: TlsOptions | undefined, name, certificate) {
  const socket = this?.socket as Socket | undefined
  return checkServerIdentity(this?.servername || this?.host || socket?.remoteAddress || name, certificate)
}

/** @throws {UnusableError} naming the parameter of the URL */
function readText(parameter: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UnusableError(`${parameter} of NATS cannot be read: ${(cause as Error).message}`, { cause })
  }
}
