/** The whole service without a port, a nats-server or an auth service. Only its database is a separate process. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { profile, roles, USER_NOT_FOUND, userEvents } from '@blog-platform/auth-contract'
import { authoring, BLOG_NOT_FOUND, editing, reading } from '@blog-platform/blog-contract'
import { startDocuments } from '@tsmicro/infra'
import { FORBIDDEN, implement } from 'tsmicro'
import { type TestApp, testService } from 'tsmicro/testing'
import { loadEnv } from '../src/index.ts'
import { createModule } from '../src/startup/module.ts'
import { draft } from './support/platform.ts'

const ada = { id: randomUUID() }
const grace = { id: randomUUID() }
const stack = new AsyncDisposableStack()
let app: TestApp

before(async () => {
  const documents = stack.use(await startDocuments({ ephemeral: true }))
  const env = loadEnv({ MONGODB_URL: documents.url, NATS_URL: 'nats://127.0.0.1:1', REQUIRE_GATEWAY: 'false' })
  const { publicProfile } = profile
  const people = implement(
    { publicProfile },
    {
      publicProfile({ input: { id } }) {
        if (id !== ada.id) throw new USER_NOT_FOUND()
        return { id, name: 'Ada' }
      },
    },
  )
  app = stack.use(await testService(({ nats, log }) => createModule(env, { nats, log }), { fakes: [people] }))
})
after(() => stack.disposeAsync())

test('from a draft to a public blog; a new name is visible at once', async () => {
  const author = app.as(ada, roles.AUTHOR).http(authoring)
  const editor = app.as(grace, roles.EDITOR).http(editing)
  const made = await author.create(draft())
  const { _id: id, slug } = made
  const { revision } = await author.submit({ id })
  await assert.rejects(app.http(reading).findBySlug({ slug }), BLOG_NOT_FOUND)
  await assert.rejects(app.as(ada, roles.AUTHOR).http(editing).publish({ id, revision }), FORBIDDEN)
  await editor.publish({ id, revision })
  assert.equal((await app.http(reading).findBySlug({ slug })).author.name, 'Ada')

  await app.publish(userEvents.userUpdated, { userId: ada.id, name: 'Ada King' }, { sequence: 1 })
  assert.equal((await app.http(reading).findBySlug({ slug })).author.name, 'Ada King')
})
