import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OVERLOADED } from 'tsmicro'
import type { PasswordHasher } from 'tsmicro/auth'
import { newcomer, signUp } from './support/accounts.ts'
import { type Auth, addAuth, cheapPasswords, startAuth } from './support/auth.ts'
import { assertFailure, send } from './support/http.ts'

let broken = false
const passwords: PasswordHasher = {
  ...cheapPasswords,
  verify: (hash, password) => (broken ? Promise.reject(new OVERLOADED()) : cheapPasswords.verify(hash, password)),
}
const env = {
  TRUSTED_PROXIES: '127.0.0.1',
  SIGN_IN_WINDOW_SECONDS: '3600',
  SIGN_IN_ATTEMPTS_PER_ACCOUNT_AND_ADDRESS: '3',
  SIGN_IN_ATTEMPTS_PER_ACCOUNT: '6',
  SIGN_IN_ATTEMPTS_PER_ADDRESS: '9',
}
const auth = await startAuth({ env, overrides: { passwords } })

/** Every test uses its own addresses and new accounts, so that their counts are separate. */
let count = 0
const newAddress = () => `203.0.113.${++count}`

interface Attempt {
  readonly email: string
  readonly password: string
}

const attempt = (address: string | undefined, { email, password }: Attempt, at: Auth = auth) =>
  send(at.url, 'POST /signin/basic', {
    body: { email, password },
    ...(address && { headers: { 'x-real-ip': address } }),
  })
const statusOf = async (address: string | undefined, who: Attempt, at: Auth = auth) =>
  (await attempt(address, who, at)).status
const wrong = ({ email }: Attempt): Attempt => ({ email, password: 'not the password' })

async function statuses(times: number, address: string | undefined, who: Attempt): Promise<number[]> {
  const seen: number[] = []
  for (let n = 0; n < times; n++) seen.push(await statusOf(address, who))
  return seen
}

test('after too many wrong passwords from one address it answers 429, even to the right one, and only there', async () => {
  const [account, address] = [await signUp(auth), newAddress()]
  assert.deepEqual(await statuses(4, address, wrong(account)), [401, 401, 401, 429])
  const refused = await attempt(address, account)
  assertFailure(refused, 429, 'TOO_MANY_REQUESTS')
  const wait = Number(refused.headers.get('retry-after'))
  assert.ok(Number.isInteger(wait) && wait > 3500 && wait <= 3600, String(wait))
  assert.equal(await statusOf(address, { ...account, email: account.email.toUpperCase() }), 429)
  assert.equal(await statusOf(newAddress(), account), 200, 'the owner elsewhere')
  assert.equal(await statusOf(address, await signUp(auth)), 200, 'others at the same address')
})

test('it does not reveal who has an account', async () => {
  const answers: unknown[] = []
  for (const who of [await signUp(auth), newcomer()]) {
    const address = newAddress()
    assert.deepEqual(await statuses(3, address, wrong(who)), [401, 401, 401])
    const { status, body, headers } = await attempt(address, wrong(who))
    const { requestId: _, ...rest } = body
    answers.push([status, rest, headers.has('retry-after')])
  }
  assert.deepEqual(answers[0], answers[1])
})

test('a success resets the count', async () => {
  const [account, address] = [await signUp(auth), newAddress()]
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(await statuses(2, address, wrong(account)), [401, 401])
    assert.equal(await statusOf(address, account), 200)
  }
})

test('successes are never throttled: many of them, concurrent ones, or after failures', async () => {
  const [account, address] = [await signUp(auth), newAddress()]
  assert.deepEqual(await statuses(2, address, wrong(account)), [401, 401])
  const answers = await Promise.all(Array.from({ length: 30 }, () => statusOf(address, account)))
  assert.deepEqual(new Set(answers), new Set([200]))
  assert.deepEqual(new Set(await statuses(10, address, account)), new Set([200]))
})

test('guessing concurrently, at several instances, gets no further', async () => {
  const other = await addAuth(auth, { env })
  const [account, address] = [await signUp(auth), newAddress()]
  const seen = await Promise.all(
    Array.from({ length: 20 }, (_, n) => statusOf(address, wrong(account), n % 2 ? auth : other)),
  )
  assert.deepEqual(seen.sort(), [...Array(3).fill(401), ...Array(17).fill(429)])
  const restarted = await addAuth(auth, { env })
  assert.equal(await statusOf(address, account, restarted), 429)
})

test('one account from many addresses, where one address alone cannot lock it', async () => {
  const account = await signUp(auth)
  const single = newAddress()
  assert.deepEqual(await statuses(10, single, wrong(account)), [401, 401, 401, ...Array(7).fill(429)])
  assert.equal(await statusOf(newAddress(), account), 200)
  assert.deepEqual(await statuses(3, newAddress(), wrong(account)), [401, 401, 401])
  assert.equal(await statusOf(newAddress(), wrong(account)), 429)
})

test('many accounts from one address', async () => {
  const address = newAddress()
  const seen: number[] = []
  for (let n = 0; n < 11; n++) seen.push(await statusOf(address, newcomer()))
  assert.deepEqual(seen, [...Array(9).fill(401), 429, 429])
  const account = await signUp(auth)
  assert.equal(await statusOf(address, account), 429)
  assert.equal(await statusOf(newAddress(), account), 200)
})

test('an attack from many addresses locks out the attackers, but not the owner where they have signed in before', async () => {
  const account = await signUp(auth)
  const [home, ua] = [newAddress(), 'Browser/12.3 (Phone; OS 4_5)']
  const from = (address: string, who: Attempt, userAgent = ua) =>
    send(auth.url, 'POST /signin/basic', {
      body: { email: who.email, password: who.password },
      headers: { 'x-real-ip': address, 'user-agent': userAgent },
    }).then(({ status }) => status)
  assert.equal(await from(home, account), 200)
  const attack = async () => {
    const seen: number[] = []
    for (let n = 0; n < 8; n++) seen.push(await from(newAddress(), wrong(account)))
    return seen
  }
  assert.deepEqual(await attack(), [...Array(6).fill(401), 429, 429])
  assert.equal(await from(newAddress(), account), 429, 'right passwords from unknown addresses wait')
  assert.equal(await from(home, account), 200, 'the owner at home')
  assert.equal(await from(home, account, 'Browser/13.0 (Phone; OS 4_6)'), 200, 'also when the browser was updated')
  assert.equal(await from(home, account, 'curl/8.1'), 429, 'another device there is unknown')
  assert.deepEqual(new Set(await attack()), new Set([429]))
  // Somebody else at the same address has a separate count.
  assert.equal(await from(home, account), 200)
  const guesses: number[] = []
  for (let n = 0; n < 5; n++) guesses.push(await from(home, wrong(account)))
  assert.deepEqual(guesses, [401, 401, 401, 429, 429], 'even a known place has a limit')
})

test('using up the limit of an address does not keep out those who have signed in there before', async () => {
  const [account, address] = [await signUp(auth), newAddress()]
  assert.equal(await statusOf(address, account), 200)
  for (let n = 0; n < 10; n++) await statusOf(address, newcomer())
  assert.equal(await statusOf(address, newcomer()), 429)
  assert.equal(await statusOf(address, account), 200)
})

test('only the newest few places of a user are remembered', async () => {
  const account = await signUp(auth)
  for (let n = 0; n < 24; n++) assert.equal(await statusOf(newAddress(), account), 200)
  const rows = await auth.sql('select 1 from sign_in_places where user_id = $1', [account.id])
  assert.equal(rows.length, 20)
})

test('sign-ups from one address are counted, including refused ones, before any expensive work; other addresses are not affected', async () => {
  const other = await addAuth(auth, { env: { ...env, SIGN_UPS_PER_ADDRESS: '3' } })
  const address = newAddress()
  const signUpFrom = (from: string, body: object = newcomer()) =>
    send(other.url, 'POST /signup/basic', { body, headers: { 'x-real-ip': from } })
  const first = newcomer()
  const seen = [await signUpFrom(address, first), await signUpFrom(address, first), await signUpFrom(address)]
  assert.deepEqual(
    seen.map(({ status }) => status),
    [200, 409, 200],
  )
  const refused = await signUpFrom(address)
  assertFailure(refused, 429, 'TOO_MANY_REQUESTS')
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.equal((await signUpFrom(newAddress())).status, 200)
  assert.equal((await signUpFrom(address, { email: 'x' })).status, 400, 'malformed input is reported first')
  assert.equal(await statusOf(address, first, other), 200, 'sign-ins are counted separately')
})

test('an IPv6 network counts as one address; so do all calls that did not come through the gateway', async () => {
  const account = await signUp(auth)
  const seen: number[] = []
  for (let n = 1; n <= 4; n++) seen.push(await statusOf(`2001:db8::${n}`, wrong(account)))
  assert.deepEqual(seen, [401, 401, 401, 429])
  assert.deepEqual(await statuses(4, undefined, wrong(await signUp(auth))), [401, 401, 401, 429])
})

test('when the window is over the count starts again', async () => {
  const [account, address] = [await signUp(auth), newAddress()]
  assert.deepEqual(await statuses(4, address, wrong(account)), [401, 401, 401, 429])
  await auth.sql(`update sign_in_attempts set ends_at = now() - interval '1 second'`)
  assert.deepEqual(await statuses(4, address, wrong(account)), [401, 401, 401, 429])
})

test('attempts that could not be decided are not counted', async () => {
  const [account, address] = [await signUp(auth), newAddress()]
  broken = true
  assert.deepEqual(await statuses(5, address, account), Array(5).fill(503))
  broken = false
  assert.deepEqual(await statuses(4, address, wrong(account)), [401, 401, 401, 429])
})

test('each attempt deletes a few expired counts', async () => {
  await auth.sql(
    `insert into sign_in_attempts select sha256(n::text::bytea), 1, now() - interval '1 s' from generate_series(1, 15) n`,
  )
  const ended = async () => (await auth.sql('select 1 from sign_in_attempts where ends_at < now()')).length
  const before = await ended()
  await statusOf(newAddress(), newcomer())
  assert.equal(await ended(), Math.max(0, before - 10))
  for (let left = await ended(); left > 0; left = await ended()) await statusOf(newAddress(), newcomer())
})
