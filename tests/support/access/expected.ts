import { readFileSync } from 'node:fs'
import type { BoundProcedure } from 'tsmicro/contract'
import { isRole, roleBesideOwner } from 'tsmicro/internal'
import { parse } from 'yaml'

/** What a caller presents, as declared by the code that created it rather than parsed from it. */
export interface Caller {
  /** What the API key permits; `none` = not sent, `bad` = sent but invalid. */
  readonly key: readonly string[] | 'none' | 'bad'
  /** The role of the signed-in user; undefined = nobody is signed in, or no longer. */
  readonly role?: string
  /** Whether the user owns what requests are about. */
  readonly owns?: boolean
}

/**
 * Status and error of a refusal; `no route` is the gateway's own 404, whoever asks; `admitted` is anything that the procedure itself answers.
 */
export type Expected = readonly [status: number, error: string] | 'no route' | 'admitted'

/** Lowest first, as documented. */
const RANKS = ['LEARNER', 'AUTHOR', 'EDITOR', 'ADMIN']

/** Who is let through, derived only from the contract and kong.yml. */
export function expectedOf(procedure: BoundProcedure, { key, role, owns }: Caller): Expected {
  const { access } = procedure
  if (access === 'internal') return 'no route'
  const permission = permissionOf(procedure)
  if (permission === undefined) return 'admitted'
  if (key === 'none') return [401, 'API_KEY_REQUIRED']
  if (key === 'bad') return [401, 'API_KEY_INVALID']
  if (!key.includes(permission)) return [403, 'API_KEY_FORBIDDEN']
  if (access === 'key') return 'admitted'
  if (role === undefined) return [401, 'UNAUTHENTICATED']
  const needed = isRole(access) ? access : roleBesideOwner(access)
  if (!needed || (owns && !isRole(access))) return 'admitted'
  return RANKS.indexOf(role) >= RANKS.indexOf(needed.role) ? 'admitted' : [403, 'FORBIDDEN']
}

interface Kong {
  readonly services: readonly {
    readonly name: string
    readonly routes: readonly {
      readonly name: string
      readonly plugins?: readonly { readonly config: { readonly permission: string } }[]
    }[]
  }[]
}

const kong = parse(readFileSync(new URL('../../../kong/kong.yml', import.meta.url), 'utf8')) as Kong

/** What kong.yml requires of an API key for a procedure; undefined if it is open. */
function permissionOf({ service, name, http, access }: BoundProcedure): string | undefined {
  // Requests that must not be sent twice have a separate Kong service.
  const routes = kong.services.flatMap(each => each.routes)
  const permission = routes.find(route => route.name === `${service}.${name}`)?.plugins?.[0]?.config.permission
  if ((permission === undefined) !== (access === 'open'))
    throw new Error(`kong.yml has ${permission ? 'a' : 'no'} guarded route for ${service} ${http}`)
  return permission
}
