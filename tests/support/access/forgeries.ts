import {
  constants,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto'

type Part = Readonly<Record<string, unknown>>

/**
 * Tokens that differ from a valid one only as their name says, and are signed with the real key unless the signature is the fault.
 *
 * @param good an access token of a user who may do everything
 * @param another the access token of another user
 */
export function forgeriesOf(good: string, another: string, key: KeyObject): Readonly<Record<string, string>> {
  const [header, claims] = partsOf(good)
  const [, others] = partsOf(another)
  const now = Math.floor(Date.now() / 1000)
  const [signedHeader, signedClaims, signature] = good.split('.')
  const publicKey = createPublicKey(key)
  const withClaims = (changes: Part) => rs256(header, { ...claims, ...changes }, key)
  const withHeader = (changes: Part) => rs256({ ...header, ...changes }, claims, key)
  const hs256 = (secret: string | Buffer) => hmac({ ...header, alg: 'HS256' }, claims, secret)
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    'expired token': withClaims({ iat: now - 120, nbf: now - 120, exp: now - 60 }),
    'not yet valid': withClaims({ nbf: now + 3600, exp: now + 7200 }),
    'issued in the future': withClaims({ iat: now + 3600, exp: now + 7200 }),
    'without expiry': withClaims({ exp: undefined }),
    'wrong issuer': withClaims({ iss: 'https://auth.example.com' }),
    'wrong audience': withClaims({ aud: 'somebody-else' }),
    'wrong signature': rs256(header, claims, stranger.privateKey),
    'changed after signing': `${signedHeader}.${encode({ ...claims, exp: now + 1e9 })}.${signature}`,
    'no signature': `${signedHeader}.${signedClaims}.`,
    'alg none': `${encode({ ...header, alg: 'none' })}.${signedClaims}.`,
    'alg none, signed': `${encode({ ...header, alg: 'none' })}.${signedClaims}.${signature}`,
    'HS256 with public PEM': hs256(publicKey.export({ type: 'spki', format: 'pem' })),
    'HS256 with public DER': hs256(publicKey.export({ type: 'spki', format: 'der' })),
    'HS256 with modulus': hs256(Buffer.from(String(publicKey.export({ format: 'jwk' }).n), 'base64url')),
    'RS512, right key': made({ ...header, alg: 'RS512' }, claims, bytes => sign('RSA-SHA512', bytes, key)),
    'PS256, right key': made({ ...header, alg: 'PS256' }, claims, bytes =>
      sign('RSA-SHA256', bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
    ),
    'unknown kid': withHeader({ kid: randomUUID() }),
    'kid is a path': withHeader({ kid: '../../../../dev/null' }),
    'no kid': withHeader({ kid: undefined }),
    'own key in header': rs256(
      { ...header, kid: 'mine', jwk: { ...stranger.publicKey.export({ format: 'jwk' }), kid: 'mine' } },
      claims,
      stranger.privateKey,
    ),
    'critical extension': withHeader({ crit: ['exp'] }),
    'no typ': withHeader({ typ: undefined }),
    'typ JWT': withHeader({ typ: 'JWT' }),
    'unknown user': withClaims({ sub: randomUUID() }),
    'unknown session': withClaims({ sid: randomUUID() }),
    'unknown token id': withClaims({ jti: randomUUID() }),
    'in another’s session': withClaims({ sid: others.sid, jti: others.jti }),
    'user is SQL': withClaims({ sub: "' or '1'='1" }),
  }
}

/** The valid token, made in the same way. It shows that a forged token is refused only for its fault. */
export function remade(good: string, key: KeyObject): string {
  const [header, claims] = partsOf(good)
  return rs256(header, { ...claims, nbf: Number(claims.nbf) - 1 }, key)
}

function partsOf(token: string): [Part, Part] {
  const [header = '', claims = ''] = token.split('.')
  const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Part
  return [decode(header), decode(claims)]
}

function rs256(header: Part, claims: Part, key: KeyObject): string {
  return made(header, claims, bytes => sign('RSA-SHA256', bytes, key))
}

function hmac(header: Part, claims: Part, secret: string | Buffer): string {
  return made(header, claims, bytes => createHmac('sha256', secret).update(bytes).digest())
}

function made(header: Part, claims: Part, signed: (bytes: Buffer) => Buffer): string {
  const text = `${encode(header)}.${encode(claims)}`
  return `${text}.${signed(Buffer.from(text)).toString('base64url')}`
}

function encode(part: Part): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
