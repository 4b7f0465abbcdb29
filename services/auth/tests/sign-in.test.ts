import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SignedIn } from '@blog-platform/auth-contract'
import { createPasswordHasher, type PasswordHasher } from 'tsmicro/auth'
import { close, isAccepted, newcomer, refresh, signIn, signUp } from './support/accounts.ts'
import { addAuth, cheapPasswords, startAuth } from './support/auth.ts'
import { assertFailure, assertInvalid, assertSuccess, send } from './support/http.ts'

let verifications = 0
const counting: PasswordHasher = {
  ...cheapPasswords,
  verify(hash, password) {
    verifications++
    return cheapPasswords.verify(hash, password)
  },
}
const auth = await startAuth({ overrides: { passwords: counting } })
const post = (body: unknown) => send<SignedIn>(auth.url, 'POST /signin/basic', { body })

test('answers like sign-up, with a new session', async () => {
  const account = await signUp(auth, { profilePicUrl: 'http://example.com/a.png' })
  const answer = await post({ email: account.email, password: account.password })
  const { user, tokens } = answer.body.data
  const { id, email, name } = account
  const profilePicUrl = 'http://example.com/a.png'
  assertSuccess(answer, 'Signed in', { user: { id, email, name, roles: user.roles, profilePicUrl }, tokens })
  assert.deepEqual(
    user.roles.map(({ code }) => code),
    ['LEARNER'],
  )
  assert.notEqual(tokens.accessToken, account.accessToken)
  assert.ok(await isAccepted(auth, tokens.accessToken))
  assert.ok(await isAccepted(auth, account.accessToken), 'the other session lives on')
})

test('an unknown e-mail address, a wrong password and a closed account get the same answer after the same work', async () => {
  const [open, closed] = [await signUp(auth), await signUp(auth)]
  await close(auth, closed)
  const attempts = [
    { email: newcomer().email, password: open.password },
    { email: 'no e-mail at all', password: open.password },
    { email: `"quoted\u00e9"@x.yz`, password: open.password },
    { email: open.email, password: `${open.password}x` },
    { email: open.email, password: open.password.toUpperCase() },
    { email: open.email, password: 'x' },
    { email: closed.email, password: closed.password },
  ]
  for (const attempt of attempts) {
    const before = verifications
    const answer = await post(attempt)
    assertFailure(answer, 401, 'CREDENTIALS_INVALID')
    assert.equal(answer.body.message, 'E-mail or password is wrong')
    assert.equal(verifications, before + 1)
    assert.equal(answer.headers.get('retry-after'), null)
  }
})

test('input that does not match the schema is reported', async () => {
  const good = { email: 'a@example.com', password: 'secret' }
  assertInvalid(await post({ ...good, email: '' }), 'email')
  assertInvalid(await post({ ...good, email: 'a'.repeat(321) }), 'email')
  assertInvalid(await post({ ...good, email: ['a@example.com'] }), 'email')
  assertInvalid(await post({ ...good, password: '' }), 'password')
  assertInvalid(await post({ ...good, password: 'p'.repeat(101) }), 'password')
  assertInvalid(await post({ ...good, password: { $ne: '' } }), 'password')
  assertInvalid(await post({ email: good.email }), '')
  assertInvalid(await post({ password: good.password }), '')
  assertInvalid(await post({ ...good, remember: true }), '')
  const nul = await post({ ...good, email: 'a\0@example.com' })
  assertFailure(nul, 400, 'VALIDATION_FAILED')
  assertFailure(await send(auth.url, 'GET /signin/basic'), 405, 'METHOD_NOT_ALLOWED')
})

test('a closed account can no longer do anything, and nobody sees it', async () => {
  const account = await signUp(auth)
  await close(auth, account)
  assert.equal(await isAccepted(auth, account.accessToken), false)
  assertFailure(await refresh(auth, account), 401, 'REFRESH_TOKEN_INVALID')
  assertFailure(await send(auth.url, `GET /profile/id/${account.id}`), 404, 'USER_NOT_FOUND')
  assertFailure(
    await send(auth.url, 'POST /signup/basic', { body: { ...newcomer(), email: account.email } }),
    409,
    'EMAIL_TAKEN',
  )
})

test('if there are too many sign-ins, some are asked to come back, and the others get their answer', async () => {
  // Slow enough to fill the queue before it moves. For an unknown e-mail address the service chooses the parameters.
  const slow = createPasswordHasher({ timeCost: 12, concurrency: 1, maxQueued: 2 })
  const busy = await addAuth(auth, { overrides: { passwords: slow } })
  const attempts = Array.from({ length: 20 }, newcomer).map(({ email, password }) => ({ email, password }))
  const answers = await Promise.all(attempts.map(body => send(busy.url, 'POST /signin/basic', { body })))
  const [answered, refused] = [401, 503].map(wanted => answers.filter(({ status }) => status === wanted))
  assert.ok(answered?.length && refused?.length && answered.length + refused.length === 20)
  for (const answer of refused) {
    assertFailure(answer, 503, 'OVERLOADED')
    assert.ok(Number(answer.headers.get('retry-after')) >= 1)
  }
})

test('a hash with older parameters is replaced at the next sign-in, and only then', async () => {
  const account = await signUp(auth)
  const stronger = createPasswordHasher({ memoryCostKiB: 128, timeCost: 1 })
  const later = await addAuth(auth, { overrides: { passwords: stronger } })
  const hash = async () => {
    const [row] = await auth.sql<{ password_hash: string }>('select password_hash from users where id = $1', [
      account.id,
    ])
    return row?.password_hash ?? ''
  }
  const old = await hash()
  const wrong = await send(later.url, 'POST /signin/basic', { body: { email: account.email, password: 'wrong one' } })
  assertFailure(wrong, 401, 'CREDENTIALS_INVALID')
  assert.equal(await hash(), old)
  await signIn(later, account)
  const renewed = await hash()
  assert.match(renewed, /m=128,t=1/)
  await signIn(later, account)
  assert.equal(await hash(), renewed)
})
