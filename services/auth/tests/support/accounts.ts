import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { RoleName, SignedIn, Tokens } from '@blog-platform/auth-contract'
import type { Auth } from './auth.ts'
import { type Answer, send } from './http.ts'

export interface Account extends Tokens {
  readonly id: string
  readonly email: string
  readonly password: string
  readonly name: string
}

/** Unique, and recognizable in a log. */
export function newcomer() {
  const id = randomUUID()
  return { email: `user-${id}@example.com`, password: `pw-${id}`, name: `User ${id.slice(0, 8)}` }
}

export async function signUp(auth: Auth, more: object = {}): Promise<Account> {
  const body = { ...newcomer(), ...more }
  for (const secret of [body.password, body.email]) auth.secrets.add(secret)
  const { user, tokens } = signedIn(auth, await send<SignedIn>(auth.url, 'POST /signup/basic', { body }))
  return { ...body, id: user.id, ...tokens }
}

export async function signIn(auth: Auth, { email, password }: Account): Promise<Tokens> {
  return signedIn(auth, await send<SignedIn>(auth.url, 'POST /signin/basic', { body: { email, password } })).tokens
}

export function refresh(auth: Auth, tokens: Tokens): Promise<Answer<Tokens>> {
  const { accessToken: token, refreshToken } = tokens
  return send<Tokens>(auth.url, 'POST /token/refresh', { token, body: { refreshToken } })
}

export async function refreshed(auth: Auth, tokens: Tokens): Promise<Tokens> {
  const answer = await refresh(auth, tokens)
  assert.equal(answer.status, 200, answer.text)
  for (const token of Object.values(answer.body.data)) auth.secrets.add(token)
  return answer.body.data
}

/** Whether a token is valid, as the service itself sees it at its HTTP door. */
export async function isAccepted(auth: Auth, token: string): Promise<boolean> {
  const { status, text } = await send(auth.url, 'GET /profile/mine', { token })
  assert.ok(status === 200 || status === 401, text)
  return status === 200
}

/** Sets roles in the database, as `src/bootstrap.ts` does for the first administrator. */
export async function grant(auth: Auth, { id }: Account, role: RoleName): Promise<void> {
  await auth.sql('insert into user_roles select $1, id from roles where code = $2 on conflict do nothing', [id, role])
}

export async function close(auth: Auth, { id }: Account): Promise<void> {
  await auth.sql('update users set status = false where id = $1', [id])
}

function signedIn(auth: Auth, answer: Answer<SignedIn>): SignedIn {
  assert.equal(answer.status, 200, answer.text)
  for (const token of Object.values(answer.body.data.tokens)) auth.secrets.add(token)
  return answer.body.data
}
