import { createHash, createPrivateKey, createPublicKey, generateKeyPair as generate, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

/** RFC 7518 section 3.3: RS256 needs at least this. */
export const minimumModulusBits = 2048

/** Of a new key: as strong as 128 bits, which 2048 are not (NIST SP 800-57 part 1). */
const newModulusBits = 3072

/** An RSA key pair and its name. */
export interface KeyPair {
  /** RFC 7638 thumbprint of the public key: the same key has the same name everywhere. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The public part of an RSA key, and nothing else of it. */
interface RsaPublicJwk {
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

/** The answer of `/.well-known/jwks.json`. */
export interface PublishedKeySet {
  readonly keys: readonly PublishedKey[]
}

/** Makes a new RSA key pair. */
export async function generateKeyPair(): Promise<KeyPair> {
  return keyPair((await promisify(generate)('rsa', { modulusLength: newModulusBits })).privateKey)
}

/**
 * Reads a key pair from the PEM text of its private key (PKCS8).
 * @throws {Error} for anything but an RSA key of at least 2048 bits
 */
export function parseKeyPair(pem: string): KeyPair {
  return keyPair(createPrivateKey({ key: pem, format: 'pem' }))
}

/** The private key as PKCS8 PEM text. */
export function formatPrivateKey({ privateKey }: KeyPair): string {
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
}

/** A public key in the form in which it is published. */
export function publishedKey({ kid, publicKey }: Pick<KeyPair, 'kid' | 'publicKey'>): PublishedKey {
  return { ...publicJwk(publicKey), kid, alg: 'RS256', use: 'sig' }
}

function keyPair(privateKey: KeyObject): KeyPair {
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  if (privateKey.asymmetricKeyType !== 'rsa')
    throw new Error(`an RSA key is needed, not ${privateKey.asymmetricKeyType}`)
  if (bits < minimumModulusBits) throw new Error(`an RSA key needs at least ${minimumModulusBits} bits, not ${bits}`)
  const publicKey = createPublicKey(privateKey)
  return { kid: thumbprint(publicJwk(publicKey)), privateKey, publicKey }
}

/** Picks the public members by name: a list of what to leave out could miss a private one. */
function publicJwk(publicKey: KeyObject): RsaPublicJwk {
  const { n, e } = publicKey.export({ format: 'jwk' })
  if (n === undefined || e === undefined) throw new Error('an RSA key is needed')
  return { kty: 'RSA', n, e }
}

/** RFC 7638: SHA-256 over the required members in alphabetical order, without spaces, base64url. */
function thumbprint({ e, kty, n }: RsaPublicJwk): string {
  return createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url')
}
