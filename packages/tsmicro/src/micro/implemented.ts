import type { FastifyInstance } from 'fastify'
import type { BoundProcedure } from '../contract/index.ts'
import { isFastifyError, StartError } from './start-error.ts'

/** Records which addresses are taken, and by whom. */
export class Implemented {
  readonly #routes = new Map<BoundProcedure, string>()
  readonly #addresses = new Map<string, string>()
  readonly #service: string

  /** @param service the owner of the doors */
  constructor(service: string) {
    this.#service = service
  }

  /** Reserves a route or subject without a contract. @throws {StartError} if it is taken */
  reserve(address: string, owner: string): void {
    // The name of a parameter makes no difference, as GET /:id and GET /:slug are one route; nor does a pattern: /:id(\d+).
    const key = address.includes(' /')
      ? address.replaceAll(/:[^/()]+(\([^/]*\))?(?=\/|$)/g, (_, pattern) => (pattern ? ':()' : ':'))
      : address
    const other = this.#addresses.get(key)
    if (other === owner) throw new StartError(`${owner} has two handlers at ${address}: keep one`)
    if (other) throw new StartError(`${owner} and ${other} both want ${address}: change one of them`)
    this.#addresses.set(key, owner)
  }

  /**
   * @throws {StartError} if the procedure already has a handler, its address is taken, or its subject belongs to another
   * service
   */
  add(door: 'http' | 'nats', procedure: BoundProcedure, address: string): void {
    if (door === 'nats' && procedure.service !== this.#service) {
      throw new StartError(
        `${labelOf(procedure)} is a procedure of service ${procedure.service}, but this service is called ${this.#service}: use one name for both`,
      )
    }
    this.reserve(address, labelOf(procedure))
    if (door === 'http') this.#routes.set(procedure, address)
  }

  /** Where a procedure is mounted, e.g. `GET /v1/slug/:slug`; `undefined` if it has no HTTP door. */
  routeOf(procedure: BoundProcedure): string | undefined {
    return this.#routes.get(procedure)
  }
}

function labelOf({ service, name }: BoundProcedure): string {
  return `${service}.${name}`
}

/**
 * Records the routes that controllers and plugins add to Fastify itself, so that an error can name both owners of one address.
 * Returns a function that mounts a part, which then owns the routes that it adds.
 */
export function watchRawRoutes(
  server: FastifyInstance,
  implemented: Implemented,
): (label: string, mount: () => void) => void {
  let mounting: string | undefined
  server.addHook('onRoute', function (route) {
    // Procedures are recorded elsewhere, HEAD comes with every GET, and with constraints several routes may share an address.
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
      throw isFastifyError(cause) ? new StartError(`${mounting}: ${cause.message}`, { cause }) : cause
    } finally {
      mounting = undefined
    }
  }
}
