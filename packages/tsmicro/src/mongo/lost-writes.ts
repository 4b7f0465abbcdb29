import type { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'

/** The driver's own connection, which it does not export: what is needed of it here. */
interface DriverConnection extends EventEmitter {
  readonly error: unknown
  writeCommand(...args: unknown[]): Promise<unknown>
}

let done = false

/**
 * Ends commands that wait for ever (mongodb 7.9): between the moment in which the server's end of a connection closes and
 * that in which the driver hears of it, what it writes to the socket is refused without an event, and it waits for a `drain`
 * that never comes. The caller then hung, whatever its timeouts, and the pool had one connection less for good. Seen in six of
 * six runs in which a command began one turn of the event loop after the server was killed.
 *
 * Where a version of the driver has no such method, nothing is done.
 */
export function endLostWrites(): void {
  if (done) return
  done = true
  const prototype = connectionPrototype()
  const write = prototype?.writeCommand
  if (!prototype || typeof write !== 'function') return
  prototype.writeCommand = async function (this: DriverConnection, ...args) {
    const closed = Promise.withResolvers<never>()
    const close = () => closed.reject(this.error)
    this.once('close', close)
    try {
      return await Promise.race([write.apply(this, args), closed.promise])
    } finally {
      this.off('close', close)
    }
  }
}

function connectionPrototype(): DriverConnection | undefined {
  try {
    return createRequire(import.meta.url)('mongodb/lib/cmap/connection.js').Connection?.prototype
  } catch {
    return undefined
  }
}
