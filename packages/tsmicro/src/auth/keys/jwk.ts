import type { KeyObject } from 'node:crypto'

/** The public part of an RSA key, and nothing else of it. */
export interface RsaPublicJwk {
  readonly kty: 'RSA'
  readonly n: string
  readonly e: string
}

/** One key of a published set (RFC 7517). */
export interface PublishedKey extends RsaPublicJwk {
  readonly kid: string
  readonly alg: 'RS256'
  readonly use: 'sig'
}

/** What `/.well-known/jwks.json` answers. */
export interface PublishedKeySet {
  readonly keys: readonly PublishedKey[]
}

/** Picks the public members by name: a private member can't slip through a list of what to leave out. */
export function publicJwk(publicKey: KeyObject): RsaPublicJwk {
  const { n, e } = publicKey.export({ format: 'jwk' })
  if (n === undefined || e === undefined) throw new Error('an RSA key is needed')
  return { kty: 'RSA', n, e }
}

/** A public key as it is published. */
export function publishedKey({
  kid,
  publicKey,
}: {
  readonly kid: string
  readonly publicKey: KeyObject
}): PublishedKey {
  return { ...publicJwk(publicKey), kid, alg: 'RS256', use: 'sig' }
}
