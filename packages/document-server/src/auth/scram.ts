import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const pbkdf2Async = promisify(pbkdf2)

/**
 * The number of hash iterations: MongoDB's default for SCRAM-SHA-256, and the minimum of RFC 7677 for random passwords, which
 * nobody can guess anyway. Clients pay this cost with their first connection.
 */
export const iterations = { chosen: 15_000, random: 4096 } as const

/** What a server stores of a password: enough to recognize it, not enough to sign in with it (RFC 5802, section 3). */
export interface Verifier {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

export const hmac = (key: Uint8Array, text: string | Uint8Array): Buffer =>
  createHmac('sha256', key).update(text).digest()
const hash = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** @param password printable ASCII, which SASLprep leaves as it is */
export async function makeVerifier(
  password: string,
  iterations: number,
  salt: Buffer = randomBytes(28),
): Promise<Verifier> {
  const salted = await pbkdf2Async(password, salt, iterations, 32, 'sha256')
  return { salt, iterations, storedKey: hash(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') }
}

/** Parses the client's first message, `n,,n=user,r=nonce`. Returns undefined if it is malformed or asks for channel binding. */
export function parseFirst(message: string): { user: string; nonce: string; bare: string } | undefined {
  const match = /^[ny],,(n=([^,]*),r=([\x21-\x2b\x2d-\x7e]{8,256})(?:,.*)?)$/.exec(message)
  const [, bare, user, nonce] = match ?? []
  if (bare === undefined || user === undefined || nonce === undefined) return undefined
  return { user: user.replaceAll('=2C', ',').replaceAll('=3D', '='), nonce, bare }
}

/** The server's answer to the first message. */
export const serverFirst = (clientNonce: string, { salt, iterations }: Verifier): string =>
  `r=${clientNonce}${randomBytes(24).toString('base64')},s=${salt.toString('base64')},i=${iterations}`

/**
 * Checks the client's final message, `c=biws,r=nonce,p=proof`.
 * @returns the server's signature (`v=…`), or undefined if the proof is wrong
 */
export function verifyFinal(
  message: string,
  clientBare: string,
  first: string,
  verifier: Verifier,
): string | undefined {
  const match = /^(c=(?:biws|eSws),r=([^,]*)),p=([A-Za-z0-9+/]{43}=)$/.exec(message)
  const [, withoutProof, nonce, proofText] = match ?? []
  if (withoutProof === undefined || nonce === undefined || proofText === undefined) return undefined
  const authMessage = `${clientBare},${first},${withoutProof}`
  const signature = hmac(verifier.storedKey, authMessage)
  const clientKey = Buffer.from(proofText, 'base64').map((byte, at) => byte ^ (signature[at] ?? 0))
  const known = timingSafeEqual(hash(clientKey), verifier.storedKey)
  if (!known || !first.startsWith(`r=${nonce},`)) return undefined
  return `v=${hmac(verifier.serverKey, authMessage).toString('base64')}`
}
