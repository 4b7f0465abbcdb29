// CI alone: packages/tsmicro/src/auth/passwords/passwords.test.ts shows by hand whose turn it is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPasswordHasher, type PasswordHasher } from 'tsmicro/auth'
import { newcomer, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { until } from './support/until.ts'

/** A short queue and one hash at a time, so that unfairness shows at once. */
const hasher = createPasswordHasher({ memoryCostKiB: 64, timeCost: 1, concurrency: 1, maxQueued: 20 })
/** Records which hashes are requested, and holds them back until released. */
const asked: string[] = []
let gate = Promise.resolve()
const passwords: PasswordHasher = {
  ...hasher,
  async hash(password, work) {
    asked.push(`hash ${password}`)
    await gate
    return hasher.hash(password, work)
  },
  async verify(stored, password, work) {
    asked.push(`verify ${password}`)
    await gate
    return hasher.verify(stored, password, work)
  },
}

const auth = await startAuth({ overrides: { passwords } })
const post = (route: string, body: object, signal?: AbortSignal) =>
  fetch(`${auth.url}${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: signal ?? AbortSignal.timeout(120_000),
  }).then(async answer => {
    await answer.text()
    return answer.status
  })

test('seventy concurrent sign-ups do not starve sign-ins', async () => {
  const account = await signUp(auth)
  const { email, password } = account
  const ups = Array.from({ length: 70 }, () => post('/signup/basic', newcomer()))
  const ins = Array.from({ length: 5 }, () => post('/signin/basic', { email, password }))
  assert.deepEqual(await Promise.all(ins), Array(5).fill(200))
  const statuses = await Promise.all(ups)
  assert.ok(statuses.includes(200))
  for (const status of statuses) assert.ok(status === 200 || status === 503, `${status}`)
})

test('a crowd behind an address does not keep out those who have signed in there before', async () => {
  const { email, password } = await signUp(auth)
  const opened = Promise.withResolvers<void>()
  asked.length = 0
  gate = opened.promise
  const crowd = Array.from({ length: 60 }, (_, n) =>
    post('/signin/basic', { email: `${n}@example.org`, password: 'x' }),
  )
  await until('the crowd to wait', () => asked.length === crowd.length)
  const owner = post('/signin/basic', { email, password })
  await until('the owner to wait', () => asked.includes(`verify ${password}`))
  opened.resolve()
  assert.equal(await owner, 200)
  const statuses = await Promise.all(crowd)
  assert.ok(statuses.includes(503) && statuses.includes(401), statuses.join())
})

test('requests that are refused anyway cost no hash: a taken e-mail address, and malformed input', async () => {
  const account = await signUp(auth)
  asked.length = 0
  const { email, password } = account
  assert.equal(await post('/signup/basic', { ...newcomer(), email }), 409)
  assert.equal(await post('/signup/basic', { ...newcomer(), email: email.toUpperCase() }), 409)
  assert.equal(await post('/signup/basic', { ...newcomer(), name: ' ' }), 400)
  assert.deepEqual(asked, [])
  assert.equal(await post('/signin/basic', { email: 'nobody@example.com', password }), 401)
  assert.deepEqual(asked, [`verify ${password}`], 'an unknown account costs what a known one does')
})

test('callers who leave before the work starts create no account and no attempt', async () => {
  const account = await signUp(auth)
  await auth.sql('delete from sign_in_attempts')
  const opened = Promise.withResolvers<void>()
  gate = opened.promise
  const leaving = new AbortController()
  const body = newcomer()
  const gone = [
    post('/signup/basic', body, leaving.signal),
    post('/signin/basic', { email: account.email, password: 'wrong password' }, leaving.signal),
  ]
  await until(
    'both to be waiting',
    () => asked.includes(`hash ${body.password}`) && asked.includes('verify wrong password'),
  )
  leaving.abort()
  await Promise.allSettled(gone)
  await until('both to be noticed', () => auth.log.filter(line => line.includes('"status":499')).length >= 2)
  opened.resolve()
  await until('the attempts to be forgotten', async () => {
    const [row] = await auth.sql<{ count: number }>('select sum(count)::int as count from sign_in_attempts')
    return row?.count === 0
  })
  assert.deepEqual(await auth.sql('select 1 from users where email = $1', [body.email]), [])
})
