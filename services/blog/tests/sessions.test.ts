import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Service } from 'tsmicro'
import { createBlogService, loadEnv } from '../src/index.ts'
import type { User } from './support/auth-double.ts'
import { sender } from './support/http.ts'
import { type Platform, startPlatform } from './support/platform.ts'
import { until } from './support/until.ts'

const resources = new AsyncDisposableStack()
const instances: Service[] = []
let it: Platform

before(async () => {
  it = resources.use(await startPlatform())
  for (let count = 0; count < 2; count++) {
    const blog = resources.adopt(createBlogService(loadEnv(it.environment)), each => each.stop())
    await blog.start()
    instances.push(blog)
  }
})
after(() => resources.disposeAsync())

const statuses = (route: string, { token }: User) =>
  Promise.all(instances.map(async ({ url }) => (await sender(() => url)(route, { token })).status))
const drafts = (user: User) => statuses('GET /author/drafts', user)

/** Until both instances answer without a call: what they were told has not changed meanwhile. */
async function known(user: User): Promise<void> {
  await until(
    async () => {
      const { asked } = it.auth
      // Right after a withdrawal the next key may not have been loaded: it was not published beforehand.
      return (await drafts(user)).every(status => status === 200) && it.auth.asked === asked
    },
    without => without,
  )
}

test('while auth answers, a protected request makes no call; a change concerns nobody else', async () => {
  const [ada, grace] = [await it.auth.signUp('AUTHOR'), await it.auth.signUp('EDITOR')]
  await known(ada)
  await known(grace)
  const asked = it.auth.asked
  for (let count = 0; count < 20; count++) {
    assert.deepEqual(await drafts(ada), [200, 200])
    assert.deepEqual(await statuses('GET /editor/submitted', grace), [200, 200])
  }
  // A machine that is so busy that nothing was asked for a lease falls back to calls.
  assert.ok(it.auth.asked - asked < 20, `${it.auth.asked - asked} calls for 80 requests`)
  await it.auth.endSession(ada)
  await until(
    () => drafts(ada),
    found => found.every(status => status === 401),
  )
  assert.deepEqual(await drafts(grace), [200, 200])
})

test('every way to lose access is noticed by every instance, also without an event', async () => {
  const ways: readonly [what: string, lose: (user: User) => void, status: number][] = [
    ['session ended', user => it.auth.signOut(user), 401],
    ['role taken', ({ id }) => it.auth.setRole(id, 'LEARNER'), 403],
    ['account closed', ({ id }) => it.auth.closeAccount(id), 401],
    ['key withdrawn', () => it.auth.withdrawKey(), 401],
  ]
  for (const [what, lose, refusal] of ways) {
    const user = await it.auth.signUp('AUTHOR')
    await known(user)
    lose(user)
    await until(
      () => drafts(user),
      found => found.every(status => status === refusal),
    ).catch(cause => {
      throw new Error(what, { cause })
    })
  }
  await known(await it.auth.signUp('AUTHOR'))
})

test('without auth, protected requests soon get 503, however recently it has said yes; then everything continues', async () => {
  const user = await it.auth.signUp('AUTHOR')
  await known(user)
  await it.auth.stop()
  await until(
    () => drafts(user),
    found => found.every(status => status === 503),
  )
  assert.deepEqual(await drafts(user), [503, 503])
  await it.auth.start()
  await until(
    () => drafts(user),
    found => found.every(status => status === 200),
  )
  await known(user)
})
