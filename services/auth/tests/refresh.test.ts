import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Tokens } from '@blog-platform/auth-contract'
import { isAccepted, refresh, refreshed, signIn, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { assertFailure, assertInvalid, assertSuccess, send } from './support/http.ts'
import { claimsOf, tokenForge } from './support/tokens.ts'

const auth = await startAuth()
const forge = await tokenForge(auth.keysDir)

/** Ages the newest pair of a session: its row in the database determines what is late. */
async function age(tokens: Tokens, seconds: number): Promise<void> {
  const { sid } = claimsOf(tokens.accessToken)
  await auth.sql(`update sessions set issued_at = now() - $1 * interval '1 second' where id = $2`, [seconds, sid])
}

async function assertRefused(tokens: Tokens): Promise<void> {
  assertFailure(await refresh(auth, tokens), 401, 'REFRESH_TOKEN_INVALID')
}

async function assertFamilyDead(...pairs: readonly Tokens[]): Promise<void> {
  for (const pair of pairs) {
    assert.equal(await isAccepted(auth, pair.accessToken), false)
    await assertRefused(pair)
  }
}

test('returns a new pair of the same session and invalidates the old one', async () => {
  const account = await signUp(auth)
  const { accessToken, refreshToken } = account
  const answer = await refresh(auth, account)
  assertSuccess(answer, 'Renewed', answer.body.data)
  const next = answer.body.data
  assert.deepEqual(Object.keys(next).sort(), ['accessToken', 'refreshToken'])
  assert.equal(new Set([accessToken, refreshToken, next.accessToken, next.refreshToken]).size, 4)
  assert.equal(claimsOf(next.accessToken).sid, claimsOf(accessToken).sid)
  assert.equal(await isAccepted(auth, accessToken), false)
  assert.ok(await isAccepted(auth, next.accessToken))
})

test('repeating the same refresh token at once returns the identical pair', async () => {
  const account = await signUp(auth)
  const next = await refreshed(auth, account)
  assert.deepEqual(await refreshed(auth, account), next)
  await age(next, 5)
  const again = await refreshed(auth, account)
  assert.equal(claimsOf(again.refreshToken).jti, claimsOf(next.refreshToken).jti)
  assert.ok(await isAccepted(auth, next.accessToken), 'asking again ends nothing')
})

test('twenty concurrent renewals all get the same pair', async () => {
  for (let round = 0; round < 3; round++) {
    const account = await signUp(auth)
    const pairs = await Promise.all(Array.from({ length: 20 }, () => refreshed(auth, account)))
    for (const pair of pairs) assert.deepEqual(pair, pairs[0])
    assert.ok(await isAccepted(auth, pairs[0]?.accessToken ?? ''))
  }
})

test('late reuse ends the whole session, including its newest tokens, and no other', async () => {
  const account = await signUp(auth)
  const other = await signIn(auth, account)
  const second = await refreshed(auth, account)
  const third = await refreshed(auth, second)
  await age(third, 12)
  await assertRefused(second)
  await assertFamilyDead(account, second, third)
  assert.ok(await isAccepted(auth, other.accessToken), 'another sign-in of the same user lives on')
})

test('a refresh token from two renewals ago is late at once', async () => {
  const account = await signUp(auth)
  const second = await refreshed(auth, account)
  const third = await refreshed(auth, second)
  await assertRefused(account)
  await assertFamilyDead(third)
})

test("another user's refresh token with my access token is refused and harms nobody", async () => {
  const [mine, other] = [await signUp(auth), await signUp(auth)]
  const mySecond = await signIn(auth, mine)
  for (const refreshToken of [other.refreshToken, mySecond.refreshToken]) {
    await assertRefused({ accessToken: mine.accessToken, refreshToken })
  }
  for (const { accessToken } of [mine, other, mySecond]) assert.ok(await isAccepted(auth, accessToken))
})

test('the access token may be expired, the refresh token may not', async () => {
  const account = await signUp(auth)
  const expired = { iat: 1_000_000_000, nbf: 1_000_000_000, exp: 1_000_000_900 }
  const oldAccess = await forge.sign('access', { ...claimsOf(account.accessToken), ...expired })
  const oldRefresh = await forge.sign('refresh', { ...claimsOf(account.refreshToken), ...expired })
  assert.equal(await isAccepted(auth, oldAccess), false)
  await assertRefused({ ...account, refreshToken: oldRefresh })
  await assertRefused({ accessToken: oldAccess, refreshToken: oldRefresh })
  assert.ok(await isAccepted(auth, account.accessToken))
  await refreshed(auth, { ...account, accessToken: oldAccess })
})

test('an earlier access token with the current refresh token is refused, and the session continues', async () => {
  const account = await signUp(auth)
  const next = await refreshed(auth, account)
  await assertRefused({ accessToken: account.accessToken, refreshToken: next.refreshToken })
  assert.ok(await isAccepted(auth, next.accessToken))
  await refreshed(auth, next)
})

test('after signing out there is nothing to renew', async () => {
  const account = await signUp(auth)
  await send(auth.url, 'DELETE /signout', { token: account.accessToken })
  await assertRefused(account)
})

test('signing out and renewing concurrently leaves no valid token', async () => {
  for (let round = 0; round < 10; round++) {
    const account = await signUp(auth)
    const [renewal, out] = await Promise.all([
      refresh(auth, account),
      send(auth.url, 'DELETE /signout', { token: account.accessToken }),
    ])
    // If the renewal comes first, the access token is no longer valid, and signing out with it is refused.
    if (out.status === 200) {
      assert.equal(await isAccepted(auth, account.accessToken), false)
      if (renewal.status === 200) assert.equal(await isAccepted(auth, renewal.body.data.accessToken), false)
    } else assert.deepEqual([out.status, renewal.status], [401, 200])
  }
})

test('tokens in the wrong place or of the wrong kind are refused', async () => {
  const account = await signUp(auth)
  const { accessToken, refreshToken } = account
  await assertRefused({ accessToken: refreshToken, refreshToken: accessToken })
  await assertRefused({ accessToken, refreshToken: accessToken })
  await assertRefused({ accessToken: refreshToken, refreshToken })
  await assertRefused({ accessToken, refreshToken: 'x' })
  await assertRefused({ accessToken: 'x', refreshToken })
  await assertRefused({ accessToken, refreshToken: `${refreshToken.slice(0, -5)}AAAAA` })
  const noAccess = await send(auth.url, 'POST /token/refresh', { body: { refreshToken } })
  assertFailure(noAccess, 401, 'REFRESH_TOKEN_INVALID')
  assert.ok(await isAccepted(auth, accessToken))
})

test('input that does not match the schema is reported', async () => {
  const post = (body: unknown) => send(auth.url, 'POST /token/refresh', { body, token: 'x' })
  assertInvalid(await post({}), '')
  assertInvalid(await post({ refreshToken: '' }), 'refreshToken')
  assertInvalid(await post({ refreshToken: 'x'.repeat(8193) }), 'refreshToken')
  assertInvalid(await post({ refreshToken: 7 }), 'refreshToken')
  assertInvalid(await post({ refreshToken: 'x', accessToken: 'y' }), '')
  assertFailure(await send(auth.url, 'GET /token/refresh'), 405, 'METHOD_NOT_ALLOWED')
})
