import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { TOKEN_INVALID, validation } from '@blog-platform/auth-contract'
import { isAccepted, refreshed, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { assertFailure, assertSuccess, send } from './support/http.ts'
import { claimsOf, tokenForge } from './support/tokens.ts'

const auth = await startAuth()
const forge = await tokenForge(auth.keysDir)
const account = await signUp(auth)
const claims = claimsOf(account.accessToken)
const now = Math.floor(Date.now() / 1000)

/** Refused wherever a user is required, and when other services ask about it. */
async function assertRefused(what: string, token: string): Promise<void> {
  for (const route of ['GET /profile/mine', 'DELETE /signout']) {
    const answer = await send(auth.url, route, { token })
    assert.equal(answer.status, 401, `${what}: ${answer.text}`)
    assertFailure(answer, 401, 'UNAUTHENTICATED')
  }
  if (token === '') return
  await assert.rejects(auth.peer.client(validation).validateToken({ token }), TOKEN_INVALID, what)
}

const sign = (changed: object, header: object = {}) => forge.sign('access', { ...claims, ...changed }, header)
const { aud: _, ...withoutAudience } = claims

const FORGERIES: Readonly<Record<string, () => string | Promise<string>>> = {
  'an expired one': () => sign({ iat: now - 1000, nbf: now - 1000, exp: now - 100 }),
  'one that is not valid yet': () => sign({ nbf: now + 100 }),
  'one from the future': () => sign({ iat: now + 100 }),
  'one of another issuer': () => sign({ iss: 'https://evil.example' }),
  'one for another audience': () => sign({ aud: 'other' }),
  'one without audience': () => forge.sign('access', withoutAudience),
  'one without expiry': () => sign({ exp: undefined }),
  'one without session': () => sign({ sid: undefined }),
  'one without subject': () => sign({ sub: undefined }),
  'one of an unknown session': () => sign({ sid: randomUUID() }),
  'one whose session is not a UUID': () => sign({ sid: "x' or 1=1--" }),
  'one whose id is not a UUID': () => sign({ jti: 'x' }),
  'one of another id': () => sign({ jti: randomUUID() }),
  'one of another subject': () => sign({ sub: randomUUID() }),
  'one whose subject is not a UUID': () => sign({ sub: 'admin' }),
  'an unknown key': () => sign({}, { kid: 'unknown' }),
  'no key named': () => sign({}, { kid: undefined }),
  'the type of a refresh token': () => forge.sign('refresh', claims),
  'no type': () => sign({}, { typ: undefined }),
  'plain JWT as type': () => sign({}, { typ: 'JWT' }),
  'another algorithm of the same key': () => sign({}, { alg: 'PS256' }),
  'the key of somebody else': () =>
    forge.sign('access', claims, {}, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
  'a refresh token': () => account.refreshToken,
  'alg none': () => unsigned('none', ''),
  'alg NoNe': () => unsigned('NoNe', ''),
  'alg none with a signature': () => unsigned('none', account.accessToken.split('.')[2] ?? ''),
  'HS256 with the public key as secret': () => {
    const text = unsigned('HS256', '').slice(0, -1)
    return `${text}.${createHmac('sha256', forge.publicPem).update(text).digest('base64url')}`
  },
  'a changed payload': () => {
    const [header, , signature] = account.accessToken.split('.')
    return [header, encode({ ...claims, sub: randomUUID() }), signature].join('.')
  },
  'a cut signature': () => account.accessToken.slice(0, -10),
  'no signature': () => account.accessToken.split('.').slice(0, 2).join('.'),
  'too many parts': () => `${account.accessToken}.x`,
  'no JWT': () => 'gibberish',
  'an overlong one': () => 'a'.repeat(8000),
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function unsigned(alg: string, signature: string): string {
  return `${encode({ alg, typ: 'at+jwt', kid: forge.kid })}.${encode(claims)}.${signature}`
}

for (const [what, make] of Object.entries(FORGERIES)) {
  test(`refused: ${what}`, async () => assertRefused(what, await make()))
}

test('the forge makes valid tokens unless told otherwise', async () => {
  assert.ok(await isAccepted(auth, await sign({})))
})

test('none of that was logged as an error', () => {
  assert.deepEqual(
    auth.log.filter(line => /"level":"(error|fatal)"/.test(line)),
    [],
  )
})

test('a missing or malformed header is answered with 401', async () => {
  const { accessToken } = account
  for (const authorization of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    accessToken,
    `Basic ${accessToken}`,
    `Bearer ${accessToken} x`,
  ]) {
    const headers = authorization === undefined ? {} : { authorization }
    assertFailure(await send(auth.url, 'GET /profile/mine', { headers }), 401, 'UNAUTHENTICATED')
  }
  const query = await send(auth.url, `GET /profile/mine?access_token=${accessToken}`)
  assertFailure(query, 401, 'UNAUTHENTICATED')
})

test('the caller is authenticated before the body is read', async () => {
  assertFailure(await send(auth.url, 'PUT /profile/mine', { raw: '{broken' }), 401, 'UNAUTHENTICATED')
})

test('signing out ends the session at once at both doors, and only this one', async () => {
  const leaving = await signUp(auth)
  const next = await refreshed(auth, leaving)
  assertSuccess(await send(auth.url, 'DELETE /signout', { token: next.accessToken }), 'Signed out')
  await assertRefused('signed out', next.accessToken)
  await assertRefused('signed out, earlier', leaving.accessToken)
  assert.ok(await isAccepted(auth, account.accessToken))
  assertFailure(await send(auth.url, 'GET /signout'), 405, 'METHOD_NOT_ALLOWED')
})
