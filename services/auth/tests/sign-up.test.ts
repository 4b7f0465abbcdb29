import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SignedIn } from '@blog-platform/auth-contract'
import { isAccepted, newcomer, signIn, signUp } from './support/accounts.ts'
import { startAuth } from './support/auth.ts'
import { assertFailure, assertInvalid, assertSuccess, send } from './support/http.ts'

const auth = await startAuth()
const post = (body: unknown) => send<SignedIn>(auth.url, 'POST /signup/basic', { body })

interface UserRow {
  readonly email: string
  readonly password_hash: string
  readonly name: string
  readonly version: number
}

const rowsOf = (email: string) => auth.sql<UserRow>('select * from users where lower(email) = lower($1)', [email])

test('answers with the user and a session, and stores an argon2id hash', async () => {
  const body = { ...newcomer(), profilePicUrl: 'https://example.com/p.png' }
  auth.secrets.add(body.password)
  const answer = await post(body)
  const { user, tokens } = answer.body.data
  const { id, roles } = user
  const { email, name, profilePicUrl } = body
  assertSuccess(answer, 'Welcome', { user: { id, email, name, roles, profilePicUrl }, tokens })
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.deepEqual(
    roles.map(({ code }) => code),
    ['LEARNER'],
  )
  assert.deepEqual(Object.keys(tokens).sort(), ['accessToken', 'refreshToken'])
  assert.ok(await isAccepted(auth, tokens.accessToken))
  assert.ok(!answer.text.includes(body.password))
  const [row] = await rowsOf(email)
  assert.match(row?.password_hash ?? '', /^\$argon2id\$v=19\$/)
  assert.ok(!answer.text.includes('argon2'))
})

test('without a picture the answer has none', async () => {
  const answer = await post(newcomer())
  assert.deepEqual(Object.keys(answer.body.data.user).sort(), ['email', 'id', 'name', 'roles'])
})

test('the e-mail address is stored in lower case, and can be used in any case', async () => {
  const { email, ...account } = newcomer()
  const answer = await post({ ...account, email: email.toUpperCase() })
  assert.equal(answer.body.data.user.email, email)
  await signIn(auth, { ...account, ...answer.body.data.tokens, email: email.replace('user', 'UsEr'), id: '' })
})

test('the shortest and longest values are accepted', async () => {
  for (const fields of [
    { password: '123456', name: 'Al' },
    { password: 'p'.repeat(100), name: 'n'.repeat(200) },
  ]) {
    const answer = await post({ ...newcomer(), ...fields })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.body.data.user.name, fields.name)
  }
})

test('names in any script come back as they were sent', async () => {
  for (const name of [
    'Jürgen Groß',
    '李小龍',
    'محمد علي',
    '👩🏽‍🚀 Ada',
    "O'Neil; drop table users;--",
    '<b>&amp;</b>',
    'a$1\\n',
  ]) {
    const answer = await post({ ...newcomer(), name })
    assert.equal(answer.body.data?.user.name, name, answer.text)
  }
})

const WRONG: readonly (readonly [path: string, fields: object])[] = [
  ['email', { email: 'no-at-sign' }],
  ['email', { email: 'a@b@c' }],
  ['email', { email: ' a@example.com' }],
  ['email', { email: 'jörg@example.com' }],
  ['email', { email: '"line\nbreak"@example.com' }],
  ['email', { email: '"quoted"@example.com' }],
  ['email', { email: `${'a'.repeat(64)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(80)}` }],
  ['email', { email: 7 }],
  ['email', { email: null }],
  ['password', { password: '12345' }],
  ['password', { password: 'p'.repeat(101) }],
  ['password', { password: ['123456'] }],
  ['name', { name: 'A' }],
  ['name', { name: 'n'.repeat(201) }],
  ['name', { name: '   ' }],
  ['name', { name: 'trailing ' }],
  ['name', { name: 'two\nlines' }],
  ['name', { name: 'bell\u0007' }],
  ['name', { name: {} }],
  ['profilePicUrl', { profilePicUrl: 'javascript:alert(1)' }],
  ['profilePicUrl', { profilePicUrl: '/relative.png' }],
  ['profilePicUrl', { profilePicUrl: `https://example.com/${'x'.repeat(500)}` }],
  ['profilePicUrl', { profilePicUrl: null }],
]

test('every invalid field is reported with its path', async () => {
  for (const [path, fields] of WRONG) assertInvalid(await post({ ...newcomer(), ...fields }), path)
  const answer = await post({ email: 'x', password: 'x', name: 'x' })
  assert.deepEqual(answer.body.details?.map(({ path }) => path).sort(), ['email', 'name', 'password'])
})

test('a refused request does not repeat what was sent', async () => {
  const answer = await post({ ...newcomer(), password: 'zqx5', more: 'zqx6' })
  assert.doesNotMatch(answer.text, /zqx/)
})

test('missing and unknown fields are refused', async () => {
  for (const field of ['email', 'password', 'name'] as const) {
    const { [field]: _, ...rest } = newcomer()
    assertInvalid(await post(rest), '')
  }
  for (const more of [{ roles: ['ADMIN'] }, { verified: true }, { id: 'x' }, { status: true }]) {
    assertInvalid(await post({ ...newcomer(), ...more }), '')
  }
})

test('anything other than a JSON object is refused', async () => {
  for (const body of [[], null, 'text', 7]) assertInvalid(await post(body), '')
  const raw = (text: string, headers = {}) => send(auth.url, 'POST /signup/basic', { raw: text, headers })
  assertFailure(await raw('{"email":'), 400, 'MALFORMED_REQUEST')
  assertFailure(await raw(JSON.stringify({ ...newcomer(), name: 'a\0b' })), 400, 'VALIDATION_FAILED')
  assertFailure(await raw('a=b', { 'content-type': 'text/plain' }), 415, 'UNSUPPORTED_MEDIA_TYPE')
  assertFailure(await raw(JSON.stringify({ name: 'x'.repeat(600_000) })), 413, 'PAYLOAD_TOO_LARGE')
  const none = await send(auth.url, 'POST /signup/basic')
  assert.equal(none.status, 400, none.text)
})

test('only POST, only this path, no query', async () => {
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    assertFailure(await send(auth.url, `${method} /signup/basic`), 405, 'METHOD_NOT_ALLOWED')
  }
  const answer = await send(auth.url, 'POST /signup/basic?admin=true', { body: newcomer() })
  assertInvalid(answer, '')
})

test('a taken e-mail address is a conflict, in upper or lower case, and changes nothing', async () => {
  const account = await signUp(auth)
  const [before] = await rowsOf(account.email)
  for (const email of [account.email, account.email.toUpperCase()]) {
    assertFailure(await post({ ...newcomer(), email }), 409, 'EMAIL_TAKEN')
  }
  assert.deepEqual(await rowsOf(account.email), [before])
})

test('of twenty concurrent sign-ups with one e-mail address exactly one succeeds', async () => {
  for (const count of [2, 20]) {
    const { email } = newcomer()
    const answers = await Promise.all(
      Array.from({ length: count }, (_, n) =>
        post({ ...newcomer(), email: n % 2 ? email.toUpperCase() : email, name: `Racer ${n}` }),
      ),
    )
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    for (const answer of answers) if (answer.status !== 200) assertFailure(answer, 409, 'EMAIL_TAKEN')
    const rows = await rowsOf(email)
    const winner = answers.findIndex(({ status }) => status === 200)
    assert.deepEqual(
      rows.map(({ name, version }) => ({ name, version })),
      [{ name: `Racer ${winner}`, version: 1 }],
    )
  }
})
