import type { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'

/** The part of the driver's connection class, which it does not export, that is needed here. */
interface DriverConnection extends EventEmitter {
  readonly error: unknown
  writeCommand(...args: unknown[]): Promise<unknown>
}

let done = false

/**
 * Ends commands that would wait forever (mongodb 7.9). After the server has closed a connection and before the driver notices,
 * a write to the socket is refused without an event, and the driver waits for a `drain` that never comes. The caller then hung
 * despite all timeouts, and the pool lost a connection for good: in six of six runs in which a command began one turn of the
 * event loop after the server was killed.
 *
 * Does nothing if the driver's version has no such method.
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
    // In a bundle, which has `require`, the driver that was bundled is meant. Node's own modules have none.
    const file =
      typeof require === 'function'
        ? require('mongodb/lib/cmap/connection.js')
        : createRequire(import.meta.url)('mongodb/lib/cmap/connection.js')
    return file.Connection?.prototype
  } catch {
    return undefined
  }
}
