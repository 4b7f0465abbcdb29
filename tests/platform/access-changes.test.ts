// CI alone: services/auth/tests/roles.test.ts, sessions.test.ts and services/blog/tests/access.test.ts show it for each service by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import { isRole, needsUser } from 'tsmicro/internal'
import { bearer } from '../support/contents.ts'
import { proceduresIn, routeOf } from '../support/contracts.ts'
import { administrator, clientsOf, type Person, person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { assertEnvelope } from '../support/refusal.ts'
import { createKey } from '../support/scene.ts'
import { type Answer, send } from '../support/send.ts'
import { until } from '../support/until.ts'

const guarded = proceduresIn(authContracts, blogContracts)
  .filter(({ http, access }) => http !== undefined && needsUser(access))
  // It would end a session that the test still needs.
  .filter(({ name }) => name !== 'signOut')
const forAuthors = guarded.filter(({ access }) => isRole(access) && access.role === 'AUTHOR')

let platform: Platform
let admin: Person
before(async () => {
  platform = await startPlatform({ patient: true })
  admin = await administrator(platform)
})
after(() => platform?.[Symbol.asyncDispose]())

const withKey = () => ({ 'x-api-key': platform.apiKey })

/** The answers to all of these requests for each caller, through the gateway. */
function ask(procedures: typeof guarded, headers: Readonly<Record<string, string>>): Promise<Answer[]> {
  return Promise.all(procedures.map(each => send(platform.url, routeOf(each, `/${each.service}`), { headers })))
}

const errorsOf = (answers: readonly Answer[]) => new Set(answers.map(({ body }) => body?.error))
const only = (answers: readonly Answer[], error: string) => answers.every(({ body }) => body?.error === error)
const none = (answers: readonly Answer[], error: string) => !errorsOf(answers).has(error)

test('a revoked role soon takes effect in every service, and so does a granted one', async () => {
  const author = await person(platform, 'Ada', 'AUTHOR')
  const headers = { ...withKey(), ...bearer(author) }
  const set = (...roles: ('LEARNER' | 'AUTHOR' | 'ADMIN')[]) => admin.administration.setRoles({ id: author.id, roles })
  assert.ok(none(await ask(forAuthors, headers), 'FORBIDDEN'))
  await set('LEARNER')
  await until('access to be lost', async () => only(await ask(forAuthors, headers), 'FORBIDDEN'))
  await set('ADMIN')
  await until('everything to be allowed', async () => none(await ask(guarded, headers), 'FORBIDDEN'))
  await set('AUTHOR')
  await until('everything of authors to be allowed', async () => {
    const forAdmins = guarded.filter(({ access }) => isRole(access) && access.role === 'ADMIN')
    return none(await ask(forAuthors, headers), 'FORBIDDEN') && only(await ask(forAdmins, headers), 'FORBIDDEN')
  })
})

test('every service soon refuses a session that was signed out, but no other', async () => {
  const author = await person(platform, 'Ben', 'ADMIN')
  const headers = { ...withKey(), ...bearer(author) }
  assert.ok(none(await ask(guarded, headers), 'UNAUTHENTICATED'))
  const elsewhere = await administrator(platform)
  await author.session.signOut({})
  await until('the token to be refused', async () => only(await ask(guarded, headers), 'UNAUTHENTICATED'))
  for (const answer of await ask(guarded, headers)) assertEnvelope(answer, platform)
  assert.ok(none(await ask(guarded, { ...withKey(), ...bearer(elsewhere) }), 'UNAUTHENTICATED'))
  assert.ok(none(await ask(guarded, { ...withKey(), ...bearer(admin) }), 'UNAUTHENTICATED'))
})

test('soon only the new token of a renewed session is accepted', async () => {
  const author = await person(platform, 'Cleo', 'ADMIN')
  assert.ok(none(await ask(guarded, { ...withKey(), ...bearer(author) }), 'UNAUTHENTICATED'))
  const { refreshToken } = author
  const renewed = await clientsOf(platform).session.refresh({ refreshToken }, { headers: bearer(author) })
  await until('the old token to be refused', async () =>
    only(await ask(guarded, { ...withKey(), ...bearer(author) }), 'UNAUTHENTICATED'),
  )
  assert.ok(none(await ask(guarded, { ...withKey(), ...bearer(renewed) }), 'UNAUTHENTICATED'))
})

test('a revoked API key is soon refused everywhere, but no other key is', async () => {
  const { id, key } = await createKey(platform, admin)
  const headers = { 'x-api-key': key, ...bearer(admin) }
  assert.ok(none(await ask(guarded, headers), 'API_KEY_INVALID'))
  const revoked = await send(platform.url, `DELETE /auth/admin/apikeys/${id}`, {
    headers: { ...withKey(), ...bearer(admin) },
  })
  assert.equal(revoked.status, 200)
  await until('the key to be refused', async () => only(await ask(guarded, headers), 'API_KEY_INVALID'))
  for (const answer of await ask(guarded, headers)) assertEnvelope(answer, platform)
  assert.ok(none(await ask(guarded, { ...withKey(), ...bearer(admin) }), 'API_KEY_INVALID'))
})
