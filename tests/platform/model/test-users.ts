import assert from 'node:assert/strict'
import type { RoleName, UserState } from './state.ts'
import type { Target } from './target.ts'

const PEOPLE: Readonly<Record<string, readonly RoleName[]>> = {
  'Ada Author': ['AUTHOR'],
  'Bob Author': ['LEARNER', 'AUTHOR'],
  'Cem Both': ['AUTHOR', 'EDITOR'],
  'Eve Editor': ['EDITOR'],
  'Lea Learner': ['LEARNER'],
}

/** Signs up new users for a run: the administrator, and users for all kinds of roles, which they do not have yet. */
export async function signUpUsers({ auth, admin }: Target, run: string): Promise<readonly UserState[]> {
  const people = Object.keys(PEOPLE).map(async (name, index): Promise<UserState> => {
    const email = `${run}-${index}@example.com`
    const { body } = await auth.send({ route: 'POST /signup/basic', json: { email, name, password: 'correct horse' } })
    const { user, tokens } = (body?.data ?? {}) as { user: { id: string }; tokens: { accessToken: string } }
    assert.ok(user, `sign-up failed: ${JSON.stringify(body)}`)
    return { id: user.id, email, name, token: tokens.accessToken, verified: false, roles: ['LEARNER'] }
  })
  const { body } = await auth.send({ route: 'GET /profile/mine', token: admin.token })
  // In the state that earlier runs have left.
  const profile = body?.data as Omit<UserState, 'token' | 'roles'>
  return [{ ...profile, token: admin.token, roles: ['ADMIN'] }, ...(await Promise.all(people))]
}

/** The roles that a user is meant to have. */
export function rolesOf({ name }: UserState): readonly RoleName[] {
  return PEOPLE[name] ?? ['ADMIN']
}
