import type { FastifyInstance } from 'fastify'
import type { Implemented } from './implemented.ts'
import { StartError } from './start-error.ts'

/**
 * Keeps book of the routes that controllers and plugins add to Fastify itself, so that two that want one address are both named.
 * Returns what mounts a part, whose label the routes have that it adds.
 */
export function watchRawRoutes(
  server: FastifyInstance,
  implemented: Implemented,
): (label: string, mount: () => void) => void {
  let mounting: string | undefined
  server.addHook('onRoute', function (route) {
    // A procedure, or the HEAD that comes with every GET; constraints let several share an address.
    if (route.config?.procedure !== undefined || Object.keys(route.constraints ?? {}).length > 0) return
    const owner = `a route of ${mounting ?? `plugin ${this.pluginName}`}`
    for (const method of [route.method].flat())
      if (method !== 'HEAD') implemented.reserve(`${method} ${route.url}`, owner)
  })
  return (label, mount) => {
    mounting = label
    try {
      mount()
    } catch (cause) {
      throw isFastifys(cause) ? new StartError(`${mounting}: ${cause.message}`, { cause }) : cause
    } finally {
      mounting = undefined
    }
  }
}

/** Fastify says what is wrong with a route or plugin, but not whose it is. */
export function isFastifys(error: unknown): error is Error {
  // Its router asserts.
  return (
    error instanceof Error && /^((FST|AVV)_ERR_|ERR_ASSERTION$)/.test(String((error as NodeJS.ErrnoException).code))
  )
}
