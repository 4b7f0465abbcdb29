import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { generateKeyPair } from '../keys/key-pair.ts'
import { createKeyRing } from '../keys/key-ring.ts'
import { KeySource } from './key-source.ts'
import { createTokenSigner, type TokenRequest } from './signer.ts'
import { createTokenVerifier, type TokenVerifierOptions, Verifier } from './verifier.ts'

const issuer = 'https://auth.test'
const audience = 'platform'
const now = 1_800_000_000
const request: TokenRequest = {
  type: 'access',
  subject: 'u1',
  sessionId: 's1',
  id: 'j1',
  issuedAt: now,
  expiresAt: now + 900,
}
const [older, newer] = await Promise.all([generateKeyPair(), generateKeyPair()])
const ring = createKeyRing([older, newer])
const signer = createTokenSigner({ keyRing: ring, issuer, audience })

function setUp(options: Partial<TokenVerifierOptions> = {}, loadKeys = async () => ring.jwks()) {
  const time = { seconds: now + 1 }
  const counter = { loads: 0 }
  const counted = () => {
    counter.loads++
    return loadKeys()
  }
  const clock = () => time.seconds * 1000
  const verifier = createTokenVerifier({ keys: { loadKeys: counted }, issuer, audience, clock, ...options })
  return { verifier, time, counter }
}

const refused = (reason: string) => ({ name: 'TokenError', reason })

test('a signed token is verified, with its claims', async () => {
  const { verifier } = setUp()
  const claims = await verifier.verify(await signer.sign(request), { type: 'access' })
  assert.deepEqual(claims, { ...request, notBefore: now, keyId: newer.kid })
})

test('the token has the standard header and claims, and nothing else', async () => {
  const [header, payload] = (await signer.sign({ ...request, type: 'refresh' })).split('.')
  const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString())
  assert.deepEqual(decode(header), { alg: 'RS256', typ: 'rt+jwt', kid: newer.kid })
  assert.deepEqual(decode(payload), {
    iss: issuer,
    sub: 'u1',
    aud: audience,
    iat: now,
    nbf: now,
    exp: now + 900,
    jti: 'j1',
    sid: 's1',
  })
})

test('equal input gives the same token, other input another', async () => {
  const token = await signer.sign(request)
  assert.equal(await signer.sign({ ...request }), token)
  assert.notEqual(await signer.sign({ ...request, id: 'j2' }), token)
})

test('the signer refuses times that make no sense', async () => {
  assert.throws(() => signer.sign({ ...request, issuedAt: 1.5 }), TypeError)
  assert.throws(() => signer.sign({ ...request, expiresAt: now }), TypeError)
})

test('times: not before, expiry, tolerance, ignoreExpiry', async () => {
  const { verifier, time } = setUp({ clockToleranceSeconds: 5 })
  const token = await signer.sign(request)
  time.seconds = now + 904
  assert.ok(await verifier.verify(token, { type: 'access' }))
  time.seconds = now + 905
  await assert.rejects(verifier.verify(token, { type: 'access' }), refused('expired'))
  assert.ok(await verifier.verify(token, { type: 'access', ignoreExpiry: true }))
  time.seconds = now - 5
  assert.ok(await verifier.verify(token, { type: 'access' }))
  time.seconds = now - 6
  await assert.rejects(verifier.verify(token, { type: 'access' }), refused('not-yet-valid'))
  await assert.rejects(verifier.verify(token, { type: 'access', ignoreExpiry: true }), refused('not-yet-valid'))
})

test('issuer, audience and kind must match', async () => {
  const token = await signer.sign(request)
  await assert.rejects(setUp({ issuer: 'x' }).verifier.verify(token, { type: 'access' }), refused('issuer'))
  await assert.rejects(setUp({ audience: 'x' }).verifier.verify(token, { type: 'access' }), refused('audience'))
  await assert.rejects(setUp().verifier.verify(token, { type: 'refresh' }), refused('type'))
})

test('older published keys still verify', async () => {
  const token = await createTokenSigner({ keyRing: createKeyRing([older]), issuer, audience }).sign(request)
  assert.ok(await setUp().verifier.verify(token, { type: 'access' }))
})

test('keys are loaded once for all callers', async () => {
  const { verifier, counter } = setUp()
  const token = await signer.sign(request)
  await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token, { type: 'access' })))
  await verifier.verify(token, { type: 'access' })
  assert.equal(counter.loads, 1)
})

test('an unknown key causes a load, at most once per interval', async () => {
  let published = createKeyRing([older])
  const { verifier, time, counter } = setUp({}, async () => published.jwks())
  const token = await signer.sign(request)
  await assert.rejects(verifier.verify(token, { type: 'access' }), refused('unknown-key'))
  published = ring
  for (let flood = 0; flood < 50; flood++) {
    await assert.rejects(verifier.verify(token, { type: 'access' }), refused('unknown-key'))
  }
  assert.equal(counter.loads, 1)
  time.seconds += 10
  assert.ok(await verifier.verify(token, { type: 'access' }))
  assert.equal(counter.loads, 2)
})

test('a failed load says nothing about the token', async () => {
  let down = true
  const { verifier, time, counter } = setUp({}, async () => {
    if (down) throw new Error('issuer is away')
    return ring.jwks()
  })
  const token = await signer.sign(request)
  for (let attempt = 0; attempt < 5; attempt++) {
    await assert.rejects(verifier.verify(token, { type: 'access' }), (error: Error) => {
      assert.ok(error instanceof SERVICE_UNAVAILABLE)
      assert.match(String(error.cause), /issuer is away/)
      return true
    })
  }
  assert.equal(counter.loads, 1, 'a failing issuer is not hammered')
  down = false
  time.seconds += 1
  assert.ok(await verifier.verify(token, { type: 'access' }))
})

test('a loader that returns nonsense counts as a failed load', async () => {
  const { verifier } = setUp({}, async () => JSON.parse('{"error":"x"}'))
  await assert.rejects(verifier.verify(await signer.sign(request), { type: 'access' }), SERVICE_UNAVAILABLE)
})

test('known keys are used while the issuer is unreachable, and withdrawn ones disappear when it is back', async () => {
  let answer = async () => ring.jwks()
  const { verifier, time, counter } = setUp({ clockToleranceSeconds: 10_000 }, () => answer())
  const token = await signer.sign(request)
  await verifier.verify(token, { type: 'access' })
  answer = async () => {
    throw new Error('away')
  }
  time.seconds += 601
  assert.ok(await verifier.verify(token, { type: 'access' }))
  assert.equal(counter.loads, 2)
  await new Promise(resolve => setImmediate(resolve))
  answer = async () => createKeyRing([older]).jwks()
  time.seconds += 10
  await verifier.verify(token, { type: 'access' })
  // It was fetched in the background.
  await new Promise(resolve => setImmediate(resolve))
  await assert.rejects(verifier.verify(token, { type: 'access' }), refused('unknown-key'))
})

test('a verified token is recalled at once: by its own text, as its own type, until it expires or its key is withdrawn', async () => {
  const time = { seconds: now + 1 }
  const clock = () => time.seconds * 1000
  const keys = new KeySource({ loadKeys: async () => ring.jwks(), clock, maxAgeSeconds: 10 })
  const verifier = new Verifier({ keys, issuer, audience, clock })
  const token = await signer.sign(request)
  assert.equal(verifier.recall(token, 'access'), undefined)
  const claims = await verifier.verify(token, { type: 'access' })
  assert.equal(verifier.recall(token, 'access'), claims)
  assert.equal(await verifier.verify(token, { type: 'access' }), claims)
  assert.equal(verifier.recall(token, 'refresh'), undefined)
  await assert.rejects(verifier.verify(token, { type: 'refresh' }), refused('type'))
  assert.equal(verifier.recall(`${token.slice(0, -1)}A`, 'access'), undefined)
  time.seconds += 100
  assert.equal(verifier.recall(token, 'access'), claims)
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(verifier.recall(token, 'access'), claims, 'a key that is fetched again is the same key')
  time.seconds = now - 10
  assert.equal(verifier.recall(token, 'access'), undefined)
  time.seconds = now + 904
  assert.equal(verifier.recall(token, 'access'), claims)
  time.seconds += 1
  assert.equal(verifier.recall(token, 'access'), undefined)
  await assert.rejects(verifier.verify(token, { type: 'access' }), refused('expired'))
  assert.deepEqual(await verifier.verify(token, { type: 'access', ignoreExpiry: true }), claims)
  time.seconds = now + 1
  keys.withdraw(newer.kid)
  assert.equal(verifier.recall(token, 'access'), undefined)
  await assert.rejects(verifier.verify(token, { type: 'access' }), refused('unknown-key'))
})
