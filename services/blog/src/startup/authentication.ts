import { createHash } from 'node:crypto'
import { type PublicProfile, TOKEN_INVALID, validation } from '@blog-platform/auth-contract'
import type { AuthenticationProvider, NatsClient, Principal } from 'tsmicro'
import { createTokenAuthentication, createTokenVerifier, type TokenClaims } from 'tsmicro/auth'
import type { CacheStore } from 'tsmicro/cache'

declare module 'tsmicro' {
  interface Principal {
    /** The user's public profile, as the auth service told it together with the token's validity. */
    readonly profile?: PublicProfile
  }
}

export interface AuthenticationOptions {
  readonly nats: NatsClient
  readonly store: CacheStore
  readonly issuer: string
  readonly audience: string
  /** How often the public keys are fetched anew while tokens come in. */
  readonly keysSeconds: number
}

/**
 * How long a positive answer is kept, by each process for itself. A session that ended must be refused within a second; the
 * rest of it is for the answer's own way here.
 */
const KEEP_MS = 750

/** A key that is unknown in spite of that may be a new one: asked for at most this often, whatever forged tokens name. */
const KEY_RELOAD_SECONDS = 1

/**
 * Who is it? The signature is checked here, with keys that the auth service publishes; whether the session still lives, the
 * auth service is asked. That it cannot be asked is never "not valid": the caller gets 503 or 504.
 */
export function createAuthentication({
  nats,
  store,
  issuer,
  audience,
  keysSeconds,
}: AuthenticationOptions): AuthenticationProvider {
  const users = store.cache<Principal>('token', { ttlMs: KEEP_MS, local: true })
  const ask = async (token: string): Promise<Principal> => {
    const { sessionId, ...profile } = await nats.client(validation).validateToken({ token })
    return { id: profile.id, sessionId, profile }
  }
  return createTokenAuthentication({
    verifier: createTokenVerifier({
      keys: {
        loadKeys: () => nats.client(validation).publicKeys(),
        reloadSeconds: KEY_RELOAD_SECONDS,
        maxAgeSeconds: keysSeconds,
      },
      issuer,
      audience,
    }),
    async confirm(token, claims, { deadline: { signal } }) {
      const ttlMs = Math.min(KEEP_MS, msLeft(claims))
      try {
        if (ttlMs <= 0) return await ask(token)
        return await users.getOrSet(digest(token), () => ask(token), { ttlMs, signal })
      } catch (error) {
        if (error instanceof TOKEN_INVALID) return undefined
        throw error
      }
    },
  })
}

/** Negative for a token that is only good by the tolerance between clocks. */
function msLeft({ expiresAt }: TokenClaims): number {
  return expiresAt * 1000 - Date.now()
}

/** Tokens themselves are kept nowhere. */
function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
