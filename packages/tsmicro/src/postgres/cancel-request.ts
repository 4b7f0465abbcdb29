import type { PoolClient } from 'pg'
import { Connection, PreferTls } from './wire.ts'

/** What pg has and its types do not tell. */
interface Backend {
  readonly host: string
  readonly port: number
  readonly ssl: unknown
  readonly sslNegotiation: string
  readonly processID: number
  readonly secretKey: number
  readonly connection: unknown
}

/**
 * Asks the server to end the statement that a connection is busy with, over a connection of its own (PostgreSQL manual,
 * "Canceling Requests in Progress"). Unlike `pg_cancel_backend` it needs no authentication and no free place, and the key
 * makes sure that it is this session.
 *
 * @returns true when the server has closed that connection, which it does after it signalled the session; false when that
 *   did not happen within `limitMs`
 */
export function requestCancel(client: PoolClient, limitMs: number): Promise<boolean> {
  const { host, port, ssl, sslNegotiation, processID, secretKey, connection } = client as unknown as Backend
  const wire =
    connection instanceof PreferTls ? new PreferTls({}, connection.options) : new Connection({ ssl, sslNegotiation })
  return new Promise(resolve => {
    let sent = false
    const end = (done: boolean) => {
      clearTimeout(timer)
      wire.stream.destroy()
      resolve(done)
    }
    const timer = setTimeout(() => end(false), limitMs)
    const send = () => {
      wire.cancel(processID, secretKey)
      sent = true
    }
    wire.on('connect', () => {
      if (!ssl) send()
      else if (sslNegotiation !== 'direct') wire.requestSsl()
    })
    wire.on('sslconnect', send)
    wire.on('end', () => end(sent))
    // the server may close it so hard that what we sent counts as not read
    wire.on('error', () => end(sent))
    if (host.startsWith('/')) wire.connect(`${host}/.s.PGSQL.${port}`)
    else wire.connect(port, host)
  })
}
