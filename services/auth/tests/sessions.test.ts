import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Tokens } from '@blog-platform/auth-contract'
import { isAccepted, refresh, refreshed, signIn, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { assertFailure, assertInvalid, assertSuccess, send } from './support/http.ts'
import { claimsOf, tokenForge } from './support/tokens.ts'

const DAY = 86_400
const auth = await startAuth({ env: { SESSIONS_PER_USER: '3', REFRESH_TOKEN_SECONDS: String(20 * DAY) } })
const forge = await tokenForge(auth.keysDir)

/** As if its owner had signed in that many days ago and had kept renewing since. */
const age = (tokens: Tokens, days: number) =>
  auth.sql(`update sessions set created_at = now() - $1 * interval '1 day' where id = $2`, [
    days,
    claimsOf(tokens.accessToken).sid,
  ])
const rowsOf = async (userId: string) => (await auth.sql('select 1 from sessions where user_id = $1', [userId])).length
const signOut = (refreshToken: unknown, token?: string) =>
  send(auth.url, 'POST /signout', { body: { refreshToken }, ...(token && { token }) })

test('a session ends 30 days after sign-in, however often it is renewed', async () => {
  for (const days of [31, 400]) {
    const account = await signUp(auth)
    await age(account, days)
    assert.equal(await isAccepted(auth, account.accessToken), false)
    assertFailure(await refresh(auth, account), 401, 'REFRESH_TOKEN_INVALID')
  }
  const account = await signUp(auth)
  await age(account, 29)
  assert.ok(await isAccepted(auth, (await refreshed(auth, account)).accessToken))
})

test('no token and no row outlives its session', async () => {
  const account = await signUp(auth)
  const at = Math.floor(Date.now() / 1000)
  const fresh = claimsOf(account.refreshToken)
  assert.ok(Math.abs((fresh.exp ?? 0) - (at + 20 * DAY)) < 60)
  await age(account, 29.999)
  const next = await refreshed(auth, account)
  for (const token of [next.refreshToken, next.accessToken]) {
    assert.ok((claimsOf(token).exp ?? 0) < at + 200, 'a token lives on')
  }
  const [row] = await auth.sql<{ ends: boolean }>(
    `select expires_at <= created_at + interval '30 days' as ends from sessions where id = $1`,
    [fresh.sid],
  )
  assert.equal(row?.ends, true)
})

test('one session too many ends the one that has not been renewed for the longest time', async () => {
  const account = await signUp(auth)
  const second = await signIn(auth, account)
  const third = await signIn(auth, account)
  const first = await refreshed(auth, account)
  const fourth = await signIn(auth, account)
  assert.equal(await isAccepted(auth, second.accessToken), false)
  for (const { accessToken } of [first, third, fourth]) assert.ok(await isAccepted(auth, accessToken))
  const other = await signUp(auth)
  await Promise.all(Array.from({ length: 12 }, () => signIn(auth, account)))
  assert.equal(await rowsOf(account.id), 3)
  assert.ok(await isAccepted(auth, other.accessToken), 'it is counted for each user')
})

test('ended sessions are deleted first, and do not accumulate', async () => {
  const account = await signUp(auth)
  for (let n = 0; n < 6; n++) {
    const { accessToken: token } = await signIn(auth, account)
    assertSuccess(await send(auth.url, 'DELETE /signout', { token }), 'Signed out')
  }
  assert.ok(await isAccepted(auth, account.accessToken))
  assert.equal(await rowsOf(account.id), 3)
})

test('a refresh token alone signs out, even an exchanged one, and repeatedly; other sessions continue', async () => {
  const account = await signUp(auth)
  const other = await signIn(auth, account)
  const next = await refreshed(auth, account)
  assertSuccess(await signOut(next.refreshToken), 'Signed out')
  assert.equal(await isAccepted(auth, next.accessToken), false)
  assertFailure(await refresh(auth, next), 401, 'REFRESH_TOKEN_INVALID')
  assertSuccess(await signOut(next.refreshToken, 'whatever'), 'Signed out')
  const newest = await refreshed(auth, other)
  assertSuccess(await signOut(other.refreshToken), 'Signed out')
  assert.equal(await isAccepted(auth, newest.accessToken), false)
})

test('a token that is not ours, not a refresh token, or expired does not sign anybody out', async () => {
  const account = await signUp(auth)
  const claims = claimsOf(account.refreshToken)
  const expired = await forge.sign('refresh', { ...claims, iat: 1_000_000_000, nbf: 1_000_000_000, exp: 1_000_000_900 })
  for (const token of ['x', account.accessToken, `${account.refreshToken.slice(0, -5)}AAAAA`, expired]) {
    assertFailure(await signOut(token), 401, 'REFRESH_TOKEN_INVALID')
  }
  assertInvalid(await signOut(''), 'refreshToken')
  assertInvalid(await signOut(7), 'refreshToken')
  assert.ok(await isAccepted(auth, account.accessToken))
})
