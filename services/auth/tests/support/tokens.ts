import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, type JWTPayload, SignJWT } from 'jose'

export interface Claims extends JWTPayload {
  readonly sid: string
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims
}

/** Signs any claims with the service's own key, so that a token is valid except for what the test changed. */
export async function tokenForge(keysDir: string) {
  const privateKey = createPrivateKey(await readFile(join(keysDir, '0001.pem')))
  const publicKey = createPublicKey(privateKey)
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey))
  return {
    kid,
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign: (type: 'access' | 'refresh', claims: JWTPayload, header: object = {}, key = privateKey): Promise<string> =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: type === 'access' ? 'at+jwt' : 'rt+jwt', kid, ...header })
        .sign(key),
  }
}
