import { createHash } from 'node:crypto'
import { type PublicProfile, roles, sessionEvents, TOKEN_INVALID, validation } from '@blog-platform/auth-contract'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  type NatsClient,
  on,
  type Principal,
  type Reaction,
} from 'tsmicro'
import { createRoleAuthorization, createTokenAuthentication, createTokenVerifier, type TokenClaims } from 'tsmicro/auth'
import type { Cache, CacheStore } from 'tsmicro/cache'
import type { Env } from '../env.ts'

declare module 'tsmicro' {
  interface Principal {
    /** The user's public profile, which the auth service returns when it confirms a token. */
    readonly profile?: PublicProfile
  }
}

/**
 * How long each process caches a positive answer. A session that has ended must be refused within a second, also by an instance that
 * does not get the event; the rest of that second allows for the time the answer takes to get here.
 */
const KEEP_MS = 750

/** A key that is still unknown may be a new one. Forged tokens can make us fetch the keys at most this often. */
const KEY_RELOAD_SECONDS = 1

/** The users whose tokens the auth service has confirmed. */
export function createConfirmed(store: CacheStore): Cache<Principal> {
  return store.cache<Principal>('token', { ttlMs: KEEP_MS, local: true })
}

/** Every instance refuses a session as soon as it learns that it has ended. */
export function forgetEnded(confirmed: Cache<Principal>): Reaction {
  return on(sessionEvents.sessionRevoked, { everyInstance: true }, ({ data }) => confirmed.deleteByTag(data.sessionId))
}

/**
 * Determines who is calling. The signature is checked here, with keys that the auth service publishes; the auth service is asked
 * whether the session is still active. If it cannot answer, the token does not count as invalid: the caller gets 503 or 504.
 */
export function createAuthentication(env: Env, nats: NatsClient, confirmed: Cache<Principal>): AuthenticationProvider {
  const ask = async (token: string): Promise<Principal> => {
    const { sessionId, ...profile } = await nats.client(validation).validateToken({ token })
    return { id: profile.id, sessionId, profile }
  }
  return createTokenAuthentication({
    verifier: createTokenVerifier({
      keys: {
        loadKeys: () => nats.client(validation).publicKeys(),
        reloadSeconds: KEY_RELOAD_SECONDS,
        maxAgeSeconds: env.JWT_KEYS_SECONDS,
      },
      issuer: env.JWT_ISSUER,
      audience: env.JWT_AUDIENCE,
    }),
    async confirm(token, claims, { deadline: { signal } }) {
      const ttlMs = Math.min(KEEP_MS, msLeft(claims))
      try {
        if (ttlMs <= 0) return await ask(token)
        const tags = ({ sessionId }: Principal) => (sessionId === undefined ? [] : [sessionId])
        return await confirmed.getOrSet(digest(token), () => ask(token), { ttlMs, tags, signal })
      } catch (error) {
        if (error instanceof TOKEN_INVALID) return undefined
        throw error
      }
    },
  })
}

/** Negative for a token that is only accepted because clocks may differ. */
function msLeft({ expiresAt }: TokenClaims): number {
  return expiresAt * 1000 - Date.now()
}

/** The cache stores digests, never tokens. */
function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** Determines what callers may do. The auth service is asked every time, so that a revoked role takes effect at once. */
export function createAuthorization(nats: NatsClient): AuthorizationProvider {
  return createRoleAuthorization({
    async hasRole({ id: userId }, { role: wanted }) {
      const role = roles.names.find(name => name === wanted)
      if (role === undefined) throw new TypeError(`the auth service has no role ${wanted}`)
      return (await nats.client(validation).validateRole({ userId, role })).valid
    },
  })
}
