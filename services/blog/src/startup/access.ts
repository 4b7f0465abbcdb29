import { type PublicProfile, roles, sessionEvents, userEvents, validation } from '@blog-platform/auth-contract'
import { type Module, type NatsClient, on } from 'tsmicro'
import { createRemoteAccess, type RemoteAccess } from 'tsmicro/auth'
import type { Env } from '../env.ts'

declare module 'tsmicro' {
  interface Principal {
    /** The user's public profile, as of the latest change. */
    readonly profile?: PublicProfile
  }
}

/** Who calls, and what they may do: the auth service says so. */
export function createAccess(env: Env, nats: NatsClient): RemoteAccess {
  return createRemoteAccess({
    auth: nats.client(validation),
    roles,
    issuer: env.JWT_ISSUER,
    audience: env.JWT_AUDIENCE,
    maxKeyAgeSeconds: env.JWT_KEYS_SECONDS,
    leaseMs: env.AUTH_LEASE_MS,
  })
}

/** What is kept of a user or session ends at once when it changes, and not only within the lease. */
export function accessHandlers({ changed }: RemoteAccess): NonNullable<Module['handlers']> {
  const events = [sessionEvents.sessionRevoked, userEvents.userRolesChanged, userEvents.userUpdated]
  return events.map(event => on(event, { everyInstance: true }, changed))
}
