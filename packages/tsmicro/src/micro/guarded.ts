import { isIP } from 'node:net'
import { missingProvider } from '../call/index.ts'
import { type BoundProcedure, proceduresOf } from '../contract/index.ts'
import { compileTrusts, secretFault } from '../http/index.ts'
import type { Controller } from './controller.ts'
import type { ServiceOptions } from './options.ts'
import { StartError } from './start-error.ts'

/** @throws {StartError} when nobody could find out whether a caller may, so that every call would fail */
export function assertProviders({ service, name, access }: BoundProcedure, controller: Controller): void {
  const missing = missingProvider(access, controller.authentication, controller.authorization)
  if (missing)
    throw new StartError(`${service}.${name} asks for a user: give its controller ${missing} with the method for it`)
}

/**
 * What stands between the network and the procedures at the HTTP door. @throws {StartError} when a secret is missing or too short
 * to keep anybody out
 */
export function assertGatewayDoor({ contracts, http = {} }: ServiceOptions): void {
  const { gateway, trustedProxies = [] } = http
  try {
    compileTrusts(trustedProxies)
  } catch (cause) {
    throw new StartError((cause as Error).message, { cause })
  }
  if (!gateway) return
  const fault = secretFault(gateway)
  if (fault) throw new StartError(`${fault}: give one that is long and random`)
  if (gateway.verifySecret !== undefined || gateway.required === false) return
  const internal = unguarded(contracts, ['internal'])
  if (internal.length > 0) {
    throw new StartError(
      `${internal.join(', ')}: internal over HTTP, and nothing tells other services from strangers: give the gateway door a verifySecret (VERIFY_SECRET), or the procedure no http`,
    )
  }
}

/** For a warning: procedures that whoever reaches a service's address may call; none where only this machine reaches it. */
export function openToNetwork({ contracts, http: { gateway, host = '127.0.0.1' } = {} }: ServiceOptions): string[] {
  if (isLoopback(host) || (gateway && gateway.required !== false)) return []
  return unguarded(contracts, gateway?.verifySecret === undefined ? ['internal', 'key'] : ['key'])
}

function unguarded(contracts: ServiceOptions['contracts'], access: readonly string[]): string[] {
  const found = contracts.flatMap(proceduresOf).filter(each => each.http && access.some(word => word === each.access))
  return found.map(({ service, name, http }) => `${service}.${name} (${http})`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
