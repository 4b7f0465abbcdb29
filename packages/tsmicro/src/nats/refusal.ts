import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls'
import { isTlsRefusal, tlsAdvice, UnusableError } from '../errors/index.ts'
import { tlsOf } from './login.ts'
import type { ServerUrl } from './server-url.ts'

/** How long a usual connection takes at most. */
const PATIENCE_MS = 500
const PROBE_MS = 4000
const NO_TLS = "server does not support 'tls'"

/**
 * Waits for a connection that is being made. With TLS 1.3 a server checks our certificate after the handshake, when the client library (3.4)
 * does not listen for its alert and only runs into its time limit: a connection that takes long is tried beside it, to fetch the alert.
 *
 * @throws {UnusableError} if it will fail again however often it is tried, because of certificates or TLS
 */
export async function connected<T extends { close(): Promise<void> }>(
  connecting: Promise<T>,
  server: ServerUrl,
): Promise<T> {
  const done = new AbortController()
  const refused = new Promise<never>((_, reject) => {
    void alertOf(server, done.signal).then(alert => alert && reject(alert))
  })
  try {
    return await Promise.race([connecting, refused])
  } catch (error) {
    connecting.then(late => late.close()).catch(() => {})
    throw explained(error, server)
  } finally {
    done.abort()
  }
}

function explained(error: unknown, server: ServerUrl): unknown {
  if (!(error instanceof Error)) return error
  if (error.message === NO_TLS) return unusable(server, 'the server has no TLS', NO_TLS_ADVICE, error)
  const reason = [error, error.cause].find(isTlsRefusal)
  return reason instanceof Error ? unusable(server, reason.message, tlsAdvice(reason, ADVICE), reason) : error
}

const NO_TLS_ADVICE = 'give it a certificate, or use nats:// without tls… parameters if the network is safe'
const ADVICE = { authority: 'tlsca', certificate: 'tlscert', key: 'tlskey' }

function unusable({ hosts }: ServerUrl, what: string, advice: string, cause: unknown): UnusableError {
  return new UnusableError(`NATS at ${hosts.join(', ')}: ${what}: ${advice}`, { cause })
}

/** The TLS alert with which one of the servers refuses us; undefined if none does, or when the signal aborts. */
async function alertOf(server: ServerUrl, signal: AbortSignal): Promise<Error | undefined> {
  try {
    const tls = tlsOf(server)
    if (!tls) return undefined
    await sleep(PATIENCE_MS, undefined, { signal })
    for (const host of server.hosts) {
      const alert = await probe(new URL(`nats://${host}`), tls, server).catch((error: Error) => error)
      if (isTlsRefusal(alert)) return alert as Error
    }
  } catch {
    // Aborted, or a file is just being replaced.
  }
  return undefined
}

/** Rejects with the error of the connection. Resolves when the server has said something to us, or has not for too long. */
async function probe({ hostname, port }: URL, tls: TlsOptions, { files, tlsFirst }: ServerUrl): Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket = connect(Number(port || 4222), host)
  let secured: Socket | undefined
  const late = AbortSignal.timeout(PROBE_MS)
  try {
    if (!tlsFirst) await said(socket, late)
    const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path))
    const own = { ca: read(files.tlsca), cert: read(files.tlscert), key: read(files.tlskey) }
    const { checkServerIdentity } = tls
    secured = connectTls({ ...own, socket, servername: /^[\d.]+$|:/.test(host) ? '' : host, checkServerIdentity })
    // Whatever the server thinks of it, it has read our certificate before it answers.
    secured.write('PING\r\n')
    await said(secured, late)
  } finally {
    secured?.destroy()
    socket.destroy()
  }
}

function said(socket: Socket, late: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('data', () => resolve())
    socket.once('close', () => resolve())
    socket.on('error', reject)
    late.addEventListener('abort', () => resolve(), { once: true })
  })
}
