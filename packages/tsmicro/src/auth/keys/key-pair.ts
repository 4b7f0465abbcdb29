import { createPrivateKey, createPublicKey, generateKeyPair as generate, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { publicJwk } from './jwk.ts'
import { thumbprint } from './thumbprint.ts'

/** RFC 7518 section 3.3: RS256 needs at least this. */
export const minimumModulusBits = 2048

/** An RSA key pair and its name. */
export interface KeyPair {
  /** RFC 7638 thumbprint of the public key: the same key has the same name everywhere. */
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/**
 * Makes a new RSA key pair.
 * @param options.modulusBits default 2048
 * @throws {RangeError} below 2048 bits
 */
export async function generateKeyPair(options: { readonly modulusBits?: number } = {}): Promise<KeyPair> {
  const modulusLength = options.modulusBits ?? minimumModulusBits
  if (!Number.isInteger(modulusLength) || modulusLength < minimumModulusBits) {
    throw new RangeError(`an RSA key needs at least ${minimumModulusBits} bits, not ${modulusLength}`)
  }
  return keyPair((await promisify(generate)('rsa', { modulusLength })).privateKey)
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

function keyPair(privateKey: KeyObject): KeyPair {
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  if (privateKey.asymmetricKeyType !== 'rsa')
    throw new Error(`an RSA key is needed, not ${privateKey.asymmetricKeyType}`)
  if (bits < minimumModulusBits) throw new Error(`an RSA key needs at least ${minimumModulusBits} bits, not ${bits}`)
  const publicKey = createPublicKey(privateKey)
  return { kid: thumbprint(publicJwk(publicKey)), privateKey, publicKey }
}
