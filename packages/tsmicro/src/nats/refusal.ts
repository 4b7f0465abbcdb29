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
 * @throws {UnusableError} if it will fail again however often it is tried, because every server refuses us by certificates or TLS
 */
export async function connected<T extends { close(): Promise<void> }>(
  connecting: Promise<T>,
  server: ServerUrl,
): Promise<T> {
  const done = new AbortController()
  const refused = new Promise<never>((_, reject) => {
    void alertAfter(PATIENCE_MS, server, done.signal).then(alert => alert && reject(refusal(server, alert)))
  })
  try {
    return await Promise.race([connecting, refused])
  } catch (error) {
    connecting.then(late => late.close()).catch(() => {})
    throw await explained(error, server, done.signal)
  } finally {
    done.abort()
  }
}

async function explained(error: unknown, server: ServerUrl, signal: AbortSignal): Promise<unknown> {
  if (!(error instanceof Error) || error instanceof UnusableError) return error
  const reason = error.message === NO_TLS ? error : [error, error.cause].find(isTlsRefusal)
  if (!(reason instanceof Error)) return error
  // It is the reason of one server, and another may just be down.
  if (server.hosts.length > 1 && !(await alertAfter(0, server, signal))) return error
  return refusal(server, reason)
}

const NO_TLS_ADVICE = 'give it a certificate, or use nats:// without tls… parameters if the network is safe'
const ADVICE = { authority: 'tlsca', certificate: 'tlscert', key: 'tlskey' }

function refusal({ hosts }: ServerUrl, cause: Error): UnusableError {
  const isPlain = cause.message === NO_TLS
  const what = isPlain ? 'the server has no TLS' : cause.message
  const advice = isPlain ? NO_TLS_ADVICE : tlsAdvice(cause, ADVICE)
  return new UnusableError(`NATS at ${hosts.join(', ')}: ${what}: ${advice}`, { cause })
}

/** The TLS alert with which all of the servers refuse us, the first one's; undefined if one does not, or when the signal aborts. */
async function alertAfter(ms: number, server: ServerUrl, signal: AbortSignal): Promise<Error | undefined> {
  try {
    const tls = tlsOf(server)
    if (!tls) return undefined
    await sleep(ms, undefined, { signal })
    const probes = server.hosts.map(host => probe(new URL(`nats://${host}`), tls, server, signal))
    const alerts = await Promise.all(probes.map(each => each.catch((error: Error) => error)))
    return alerts.every(isTlsRefusal) ? (alerts[0] as Error) : undefined
  } catch {
    // Aborted, or a file is just being replaced.
    return undefined
  }
}

/** Rejects with the error of the connection. Resolves when the server has said something to us, or has not for too long. */
async function probe(
  { hostname, port }: URL,
  tls: TlsOptions,
  { files, tlsFirst }: ServerUrl,
  signal: AbortSignal,
): Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket = connect(Number(port || 4222), host)
  let secured: Socket | undefined
  const end = () => {
    secured?.destroy()
    socket.destroy()
  }
  const late = setTimeout(end, PROBE_MS)
  signal.addEventListener('abort', end, { once: true })
  try {
    if (!tlsFirst) await said(socket)
    if (socket.destroyed) return
    const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path))
    const own = { ca: read(files.tlsca), cert: read(files.tlscert), key: read(files.tlskey) }
    const { checkServerIdentity } = tls
    secured = connectTls({ ...own, socket, servername: /^[\d.]+$|:/.test(host) ? '' : host, checkServerIdentity })
    // Whatever the server thinks of it, it has read our certificate before it answers.
    secured.write('PING\r\n')
    await said(secured)
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', end)
    end()
  }
}

/** Waits for data, or for the end. */
function said(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('data', () => resolve())
    socket.once('close', () => resolve())
    socket.on('error', reject)
  })
}
