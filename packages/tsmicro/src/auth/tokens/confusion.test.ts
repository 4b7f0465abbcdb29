import assert from 'node:assert/strict'
import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { generateKeyPair, parseKeyPair } from '../keys/key-pair.ts'
import { createKeyRing } from '../keys/key-ring.ts'
import { createTokenVerifier } from './verifier.ts'

// Tokens forged as an attacker would: RFC 8725 and the usual list of JWT attacks

/** Of a signature with 2048 bits, the last character has room for four more. */
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pair = parseKeyPair(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
const stranger = await generateKeyPair()
const ring = createKeyRing([pair])
const now = Math.floor(Date.now() / 1000)
const header = { alg: 'RS256', typ: 'at+jwt', kid: pair.kid }
const payload = { iss: 'i', sub: 'u', aud: 'a', iat: now, nbf: now, exp: now + 60, jti: 'j', sid: 's' }
const verifier = createTokenVerifier({ keys: { loadKeys: async () => ring.jwks() }, issuer: 'i', audience: 'a' })

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const rs256 = (input: string, key: KeyObject = pair.privateKey) =>
  createSign('sha256').update(input).sign(key, 'base64url')

function forge(head: object = {}, body: object = {}, sign = rs256): string {
  const input = `${part({ ...header, ...head })}.${part({ ...payload, ...body })}`
  return `${input}.${sign(input)}`
}

async function reasonFor(token: string): Promise<string> {
  return verifier.verify(token, { type: 'access' }).then(
    () => 'accepted',
    error => error.reason ?? String(error),
  )
}

test('the honest token passes', async () => assert.equal(await reasonFor(forge()), 'accepted'))

const hmac = (input: string) => {
  const publicPem = pair.publicKey.export({ format: 'pem', type: 'spki' })
  return createHmac('sha256', publicPem).update(input).digest('base64url')
}
const es256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const honest = forge()
const [head = '', body = '', signature = ''] = honest.split('.')

const attacks: Record<string, [token: string, reason: string]> = {
  'alg none, unsigned': [forge({ alg: 'none' }, {}, () => ''), 'algorithm'],
  'alg None, signed': [forge({ alg: 'None' }), 'algorithm'],
  'alg missing': [forge({ alg: undefined }), 'algorithm'],
  'HS256 with the public key as secret': [forge({ alg: 'HS256' }, {}, hmac), 'algorithm'],
  'RS256 claimed, HMAC made': [forge({}, {}, hmac), 'signature'],
  'PS256 with the right key': [forge({ alg: 'PS256' }), 'algorithm'],
  'RS512 claimed': [forge({ alg: 'RS512' }), 'algorithm'],
  'ES256 key': [forge({}, {}, input => rs256(input, es256)), 'signature'],
  "a stranger's key under our kid": [forge({}, {}, input => rs256(input, stranger.privateKey)), 'signature'],
  "a stranger's kid": [forge({ kid: stranger.kid }), 'unknown-key'],
  'its own key in the header': [forge({ kid: 'x', jwk: ring.jwks().keys[0] }), 'unknown-key'],
  'a key address in the header': [forge({ kid: 'x', jku: 'https://evil.test/jwks.json' }), 'unknown-key'],
  'kid missing': [forge({ kid: undefined }), 'malformed'],
  'kid empty': [forge({ kid: '' }), 'malformed'],
  'kid an object': [forge({ kid: { toString: 1 } }), 'malformed'],
  'kid __proto__': [forge({ kid: '__proto__' }), 'unknown-key'],
  'typ missing': [forge({ typ: undefined }), 'type'],
  'typ JWT': [forge({ typ: 'JWT' }), 'type'],
  'a refresh token as access token': [forge({ typ: 'rt+jwt' }), 'type'],
  'crit extension': [forge({ crit: ['b64'], b64: false }), 'malformed'],
  'claims changed': [`${head}.${part({ ...payload, sub: 'admin' })}.${signature}`, 'signature'],
  'signature cut': [`${head}.${body}.${signature.slice(0, 40)}`, 'signature'],
  'signature empty': [`${head}.${body}.`, 'signature'],
  'a part missing': [`${head}.${body}`, 'malformed'],
  'five parts': [`${honest}.x.y`, 'malformed'],
  'trailing space': [`${honest} `, 'malformed'],
  'line break inside': [`${head}.\n${body}.${signature}`, 'malformed'],
  'base64 instead of base64url': [`${head}.${body}==.${signature}`, 'malformed'],
  'empty text': ['', 'malformed'],
  'no JSON': ['YQ.YQ.YQ', 'malformed'],
  'header an array': [`${part([1])}.${body}.${signature}`, 'malformed'],
  'too long': [forge({}, { pad: 'x'.repeat(8192) }), 'malformed'],
  'claims an array': [
    (() => {
      const input = `${head}.${part([1, 2])}`
      return `${input}.${rs256(input)}`
    })(),
    'malformed',
  ],
  'issuer changed': [forge({}, { iss: 'evil' }), 'issuer'],
  'audience of others': [forge({}, { aud: ['b', 'c'] }), 'audience'],
  'audience by prefix': [forge({}, { aud: 'ab' }), 'audience'],
  'expired long ago': [forge({}, { exp: now - 100 }), 'expired'],
  'not yet valid': [forge({}, { nbf: now + 100 }), 'not-yet-valid'],
  'issued in the future': [forge({}, { iat: now + 100 }), 'not-yet-valid'],
  'expiry a text': [forge({}, { exp: '9999999999' }), 'malformed'],
  'expiry too big for JSON': [forge({}, { exp: Number.POSITIVE_INFINITY }), 'malformed'],
}

for (const claim of Object.keys(payload)) {
  attacks[`claim ${claim} missing`] = [forge({}, { [claim]: undefined }), 'malformed']
  attacks[`claim ${claim} an object`] = [forge({}, { [claim]: { $ne: null } }), 'malformed']
}

for (const [name, [token, reason]] of Object.entries(attacks)) {
  test(`refused: ${name}`, async () => assert.equal(await reasonFor(token), reason))
}

test('refused: another spelling of the same signature', async () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const next = alphabet[alphabet.indexOf(honest.at(-1) ?? '') + 1]
  assert.equal(await reasonFor(honest.slice(0, -1) + next), 'malformed')
})

test('refused: any single character changed', async () => {
  for (let index = 0; index < honest.length; index += 7) {
    const other = honest[index] === 'A' ? 'B' : 'A'
    const token = honest.slice(0, index) + other + honest.slice(index + 1)
    assert.notEqual(await reasonFor(token), 'accepted', `position ${index}`)
  }
})
