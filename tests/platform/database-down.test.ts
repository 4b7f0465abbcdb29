// CI alone: services/auth/tests/database-down.test.ts and services/blog/tests/faults.test.ts do without databases by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DEMO_ADMIN } from '@blog-platform/auth-service/demo'
import { bearer, type Contents, publish } from '../support/contents.ts'
import { downOf, readyOf } from '../support/health.ts'
import { draft } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { send } from '../support/send.ts'
import { until } from '../support/until.ts'

let platform: Platform
let contents: Contents
let cached: string
let unread: string[]
before(async () => {
  platform = await startPlatform({ env: { CACHE_TTL_SECONDS: '3600' } })
  contents = await publish(platform, 4)
  ;[cached = '', ...unread] = contents.ids
  assert.equal(await readStatus(cached), 200)
})
after(() => platform?.[Symbol.asyncDispose]())

const readStatus = async (id: string) => (await send(platform.blogUrl, `GET /id/${id}`)).status

function signIn(password = DEMO_ADMIN.password) {
  return send(platform.authUrl, 'POST /signin/basic', { json: { email: DEMO_ADMIN.email, password } })
}

function write(slug: string) {
  return send(platform.blogUrl, 'POST /author', { headers: bearer(contents.author), json: draft(slug) })
}

/** Everything that needs the auth service's database. */
async function answersOfAuth(slug: string) {
  const headers = bearer(contents.author)
  // Another session, because a request answered with 504 may still be done once the database continues.
  const { refreshToken } = contents.editor
  const answers = await Promise.all([
    signIn(),
    signIn('wrong password'),
    send(platform.authUrl, 'POST /signup/basic', {
      json: { email: `${slug}@example.com`, password: 'correct horse', name: 'Somebody' },
    }),
    send(platform.authUrl, 'POST /token/refresh', { headers: bearer(contents.editor), json: { refreshToken } }),
    send(platform.authUrl, 'GET /profile/mine', { headers }),
    send(platform.authUrl, `GET /profile/id/${contents.author.id}`),
    send(platform.authUrl, 'POST /verify/apikey', { json: { key: platform.apiKey } }),
    send(platform.authUrl, 'GET /verify/apikey', { headers: { 'x-api-key': platform.apiKey } }),
    send(platform.url, 'GET /blog/list/latest', { headers: { 'x-api-key': `never-seen-${slug}` } }),
    write(slug),
  ])
  return answers.map(({ status, body }) => ({ status, error: body?.error, requestId: typeof body?.requestId }))
}

const UNAVAILABLE = { status: 503, error: 'SERVICE_UNAVAILABLE', requestId: 'string' }

test('PostgreSQL killed: 503, never 401; everything recovers when it is back', async () => {
  platform.postgres.kill('SIGKILL')
  await until('auth to notice', async () => !(await readyOf(platform.authUrl)))
  let count = 0
  await until('the lease to end', async () => (await write(`lease-${++count}`)).status !== 201)
  for (let round = 0; round < 3; round++) {
    for (const answer of await answersOfAuth(`killed-${round}`)) assert.deepEqual(answer, UNAVAILABLE)
  }
  const { status, data } = await send(platform.url, 'GET /auth/health')
  assert.deepEqual([status, data.status, data.ready, downOf(data)], [200, 'ok', false, ['postgres']])
  assert.equal(await readyOf(platform.blogUrl), true)
  assert.equal((await send(platform.authUrl, 'GET /.well-known/jwks.json')).status, 200)
  assert.equal(await readStatus(cached), 200)

  await platform.postgres.restart()
  await until('auth to be ready', () => readyOf(platform.authUrl))
  assert.equal((await signIn()).status, 200)
  assert.equal((await signIn('wrong password')).status, 401)
  assert.equal((await write('postgres-is-back')).status, 201)
})

test('document server killed: cached reads work for seconds, the rest gets 503, never 404; everything recovers when it is back', async () => {
  platform.documents.kill('SIGKILL')
  await until('blog to notice', async () => !(await readyOf(platform.blogUrl)))
  const [id = ''] = unread
  const answers = await Promise.all([
    send(platform.blogUrl, `GET /id/${id}`),
    send(platform.blogUrl, 'GET /slug/published-1'),
    send(platform.blogUrl, `GET /id/${'0'.repeat(24)}`),
    send(platform.blogUrl, 'GET /list/latest'),
    write('killed'),
    send(platform.blogUrl, `PUT /author/submit/id/${id}`, { headers: bearer(contents.author) }),
  ])
  for (const { status, body } of answers) assert.deepEqual([status, body?.error], [503, 'SERVICE_UNAVAILABLE'])
  // The database decides which instances may answer from memory, and for how long.
  assert.ok([200, 503].includes(await readStatus(cached)))
  const { status, data } = await send(platform.url, 'GET /blog/health')
  assert.deepEqual([status, data.status, data.ready, downOf(data)], [200, 'ok', false, ['mongo']])
  assert.equal(await readyOf(platform.authUrl), true)

  await platform.documents.restart()
  await until('blog to be ready', () => readyOf(platform.blogUrl))
  assert.equal(await readStatus(id), 200)
  assert.equal((await write('documents-are-back')).status, 201)
})
