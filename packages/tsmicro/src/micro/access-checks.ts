import { isIP } from 'node:net'
import { missingProvider } from '../call/index.ts'
import { type BoundProcedure, type Contract, proceduresOf } from '../contract/index.ts'
import { compileTrusts, secretFault } from '../http/index.ts'
import type { Part } from './module.ts'
import type { ServiceOptions } from './options.ts'
import { StartError } from './start-error.ts'

const MADE_BY = { authentication: 'createTokenAuthentication', authorization: 'createRoleAuthorization' }
const METHODS = { authentication: 'authenticate', authorization: 'authorize' }

/** @throws {StartError} if a provider is missing, so that every call would fail */
export function assertProviders(
  { service, name, access }: BoundProcedure,
  { authentication, authorization }: Pick<Part, 'authentication' | 'authorization'>,
): void {
  const missing = missingProvider(access, authentication, authorization)
  if (!missing) return
  throw new StartError(
    `${service}.${name} asks for a ${access === 'user' ? 'user' : 'role'}: give the module \`${missing}\`, a provider with the method ${METHODS[missing]} (${MADE_BY[missing]} of tsmicro/auth makes one)`,
  )
}

/** @throws {StartError} if an address is invalid, or a secret of the gateway door is missing or too short to be safe */
export function assertSecrets({ http: { gateway, trustedProxies = [] } = {} }: ServiceOptions): void {
  try {
    compileTrusts(trustedProxies)
  } catch (cause) {
    throw new StartError((cause as Error).message, { cause })
  }
  const fault = gateway && secretFault(gateway)
  if (fault) throw new StartError(`${fault}: give one that is long and random`)
}

/** @throws {StartError} if internal procedures at the HTTP door are open to everybody who can bypass the gateway */
export function assertInternal({ http: { gateway } = {} }: ServiceOptions, contracts: readonly Contract[]): void {
  if (!gateway || gateway.verifySecret !== undefined || gateway.required === false) return
  const internal = unguarded(contracts, ['internal'])
  if (internal.length === 0) return
  throw new StartError(
    `${internal.join(', ')}: internal over HTTP, and nothing distinguishes other services from strangers: give the gateway door a verifySecret (VERIFY_SECRET), or remove http from the procedure`,
  )
}

/**
 * For a warning: the procedures that anybody who reaches the service's address may call; none if only this machine reaches it.
 */
export function openToNetwork(
  { http: { gateway, host = '127.0.0.1' } = {} }: ServiceOptions,
  contracts: readonly Contract[],
): string[] {
  if (isLoopback(host) || (gateway && gateway.required !== false)) return []
  return unguarded(contracts, gateway?.verifySecret === undefined ? ['internal', 'key'] : ['key'])
}

function unguarded(contracts: readonly Contract[], access: readonly string[]): string[] {
  const procedures = [...new Set(contracts.flatMap(proceduresOf))]
  const found = procedures.filter(each => each.http && access.some(word => word === each.access))
  return found.map(({ service, name, http }) => `${service}.${name} (${http})`)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
