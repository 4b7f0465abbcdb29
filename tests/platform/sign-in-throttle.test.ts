// CI alone: services/auth/tests/sign-in-throttle.test.ts shows it for the service by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertNoSecretsLogged } from '../support/leaks.ts'
import { type Person, person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { assertEnvelope } from '../support/refusal.ts'
import { type Answer, send } from '../support/send.ts'

/** Failed sign-ins that are tolerated, as in the auth service by default. */
const ALLOWED = 10
/** Loopback has many addresses, which the gateway treats as different clients. */
const HERE = '127.0.0.1'
const ELSEWHERE = '127.0.0.2'
const RIGHT = 'correct horse'

let platform: Platform
let ada: Person & { email: string }
let bea: typeof ada
before(async () => {
  platform = await startPlatform({ patient: true })
  const known = async (name: string) => {
    const who = await person(platform, name)
    return { ...who, email: (await who.profile.myProfile({})).email }
  }
  ;[ada, bea] = await Promise.all([known('Ada'), known('Bea')])
})
after(() => platform?.[Symbol.asyncDispose]())

function signIn(
  email: string,
  password: string,
  localAddress = HERE,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return send(platform.url, 'POST /auth/signin/basic', {
    headers: { 'x-api-key': platform.apiKey, ...headers },
    json: { email, password },
    localAddress,
  })
}

function assertThrottled(answer: Answer): void {
  assert.deepEqual([answer.status, answer.body?.error], [429, 'TOO_MANY_REQUESTS'])
  assertEnvelope(answer, platform)
  const wait = Number(answer.headers['retry-after'])
  assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 600, `retry-after: ${answer.headers['retry-after']}`)
}

test('guessing a password ends with 429, no matter how many guess at once', async () => {
  const guesses = await Promise.all(
    Array.from({ length: ALLOWED * 3 }, (_, number) => signIn(ada.email, `guess number ${number}`)),
  )
  const judged = guesses.filter(({ status }) => status === 401)
  assert.equal(judged.length, ALLOWED)
  for (const answer of guesses.filter(each => !judged.includes(each))) assertThrottled(answer)
  for (const answer of judged) assert.equal(answer.body?.error, 'CREDENTIALS_INVALID')
})

test('after that, not even the right password helps there, nor do other spellings and claims', async () => {
  assertThrottled(await signIn(ada.email, RIGHT))
  assertThrottled(await signIn(ada.email.toUpperCase(), RIGHT))
  for (const headers of [
    { 'x-forwarded-for': '203.0.113.7' },
    { 'x-real-ip': '203.0.113.7' },
    { forwarded: 'for=203.0.113.7' },
    { 'x-forwarded-for': '203.0.113.8, 203.0.113.9', 'x-real-ip': '203.0.113.8' },
    { connection: 'x-real-ip' },
    { connection: 'x-forwarded-for, x-real-ip' },
  ]) {
    assertThrottled(await signIn(ada.email, RIGHT, HERE, headers as Record<string, string>))
  }
})

test('nobody else is affected: other accounts there, the owner elsewhere, and users who are already signed in', async () => {
  assert.equal((await signIn(bea.email, RIGHT)).status, 200)
  assert.equal((await signIn(bea.email, 'wrong password')).status, 401)
  assert.equal((await signIn(ada.email, RIGHT, ELSEWHERE)).status, 200)
  assert.equal((await ada.profile.myProfile({})).name, 'Ada')
  assertThrottled(await signIn(ada.email, RIGHT))
})

test('an account that does not exist is throttled in the same way', async () => {
  const answers = []
  for (let n = 0; n <= ALLOWED; n++) answers.push(await signIn('nobody@example.com', RIGHT))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [...Array<number>(ALLOWED).fill(401), 429],
  )
  const last = answers.at(-1)
  if (last) assertThrottled(last)
})

test('no attempted password is in a log', () => {
  assertNoSecretsLogged(platform, [RIGHT, 'guess number', 'wrong password'])
})
