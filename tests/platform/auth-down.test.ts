// CI alone: services/blog/tests/faults.test.ts does without auth by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as blogContracts from '@blog-platform/blog-contract'
import type { Gateway } from '@tsmicro/gateway'
import { needsUser, roleBesideOwner } from 'tsmicro/internal'
import { bearer, type Contents, publish } from '../support/contents.ts'
import { proceduresIn, routeOf } from '../support/contracts.ts'
import { startPatientGateway } from '../support/patient-gateway.ts'
import { draft } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { send } from '../support/send.ts'
import { until } from '../support/until.ts'

const resources = new AsyncDisposableStack()
let platform: Platform
let contents: Contents
/** The same public door, except that it remembers API keys long enough for any test. */
let patient: Gateway
let withKey: { readonly 'x-api-key': string }
before(async () => {
  platform = resources.use(await startPlatform({ env: { CACHE_TTL_SECONDS: '3600' } }))
  contents = await publish(platform, 5)
  patient = await startPatientGateway(resources, platform)
  withKey = { 'x-api-key': platform.apiKey }
})
after(() => resources.disposeAsync())

/** Everything in the blog service that requires a signed-in user. */
/** An owner needs no role: whoever has just been seen is answered without auth. */
const guarded = proceduresIn(blogContracts).filter(({ access }) => needsUser(access) && !roleBesideOwner(access))

async function guardedAnswers() {
  assert.ok(guarded.length > 0)
  const asked = guarded.map(each => send(platform.blogUrl, routeOf(each), { headers: bearer(contents.author) }))
  return (await Promise.all(asked)).map(({ status, body }) => [status, body?.error])
}

const isUnavailable = ([status]: readonly unknown[]) => status === 503 || status === 504

const read = (baseUrl: string, path: string, key = platform.apiKey) =>
  send(baseUrl, `GET ${path}`, { headers: { 'x-api-key': key } })

/** Whether somebody can write through the real gateway. A slug can be taken only once. */
async function canWrite(slug: string): Promise<boolean> {
  const headers = { ...withKey, ...bearer(contents.author) }
  const { status, body } = await send(platform.url, 'POST /blog/author', { headers, json: draft(slug) })
  assert.ok(status === 201 || status >= 500, `${status} ${body?.message}`)
  return status === 201
}

test('auth killed: public reads work, protected routes answer 503, nothing answers 401, 403 or 404', async t => {
  const [cached = '', uncached = '', another = ''] = contents.ids
  const path = `/blog/id/${cached}`
  const before = await read(patient.url, path)
  assert.equal(before.status, 200)
  assert.equal((await read(patient.url, '/blog/list/latest')).status, 200)
  // Now the gateway also knows that the key may write.
  assert.equal((await send(patient.url, 'POST /blog/author', { headers: withKey })).status, 401)
  await platform.auth.end('SIGKILL')
  await until('what it has said to hold no longer', async () => (await guardedAnswers()).every(isUnavailable))

  await t.test('protected routes', async () => {
    for (let round = 0; round < 3; round++) {
      for (const answer of await guardedAnswers()) assert.deepEqual(answer, [503, 'SERVICE_UNAVAILABLE'])
    }
    const headers = { ...withKey, ...bearer(contents.author) }
    const through = await send(patient.url, 'POST /blog/author', { headers, json: draft('down') })
    assert.deepEqual([through.status, through.body?.error], [503, 'SERVICE_UNAVAILABLE'])
  })

  await t.test('an obviously invalid token still gets 401, because that needs no other service', async () => {
    const headers = bearer({ accessToken: `${contents.author.accessToken.slice(0, -8)}AAAAAAAA` })
    assert.equal((await send(platform.blogUrl, 'POST /author', { headers })).status, 401)
    assert.equal((await send(platform.blogUrl, 'POST /author')).status, 401)
  })

  await t.test('public reads, cached or by a known author', async () => {
    assert.deepEqual((await read(patient.url, path)).data, before.data)
    assert.equal((await read(patient.url, '/blog/list/latest')).status, 200)
    assert.equal((await read(platform.blogUrl, `/id/${cached}`)).status, 200)
    const { status, data } = await read(patient.url, `/blog/id/${uncached}`)
    assert.equal(status, 200)
    assert.deepEqual(data.author, { id: contents.author.id, name: 'Ada' })
    assert.equal((await read(platform.blogUrl, `/id/${another}`)).status, 200)
    assert.equal((await read(patient.url, `/blog/id/${'0'.repeat(24)}`)).status, 404)
  })

  await t.test('an API key that cannot be verified gets 503, even a valid one once it is forgotten', async () => {
    for (const gateway of [platform, patient]) {
      const { status, body } = await read(gateway.url, path, 'never-seen')
      const { code, status: told, error } = body ?? {}
      assert.deepEqual([status, code, told, error], [503, '10001', 503, 'SERVICE_UNAVAILABLE'])
    }
    await until('the real gateway to forget the key', async () => {
      const { status } = await read(platform.url, path)
      assert.ok(status === 200 || status === 503)
      return status === 503
    })
  })

  await t.test(
    'endpoints of auth answer with the gateway’s 502 or 503, and the open health of blog works',
    async () => {
      const headers = { ...withKey, ...bearer(contents.author) }
      const profile = await send(patient.url, 'GET /auth/profile/mine', { headers })
      assert.ok([502, 503].includes(profile.status))
      const health = await send(platform.url, 'GET /blog/health')
      assert.equal(health.status, 200)
    },
  )
})

test('auth back: everything works again, nothing else was restarted', async () => {
  await platform.auth.start()
  await until('writing to work', () => canWrite('after-the-kill'))
  assert.equal((await read(platform.url, `/blog/id/${contents.ids[0]}`)).status, 200)
  assert.equal((await read(platform.url, '/blog/list/latest', 'never-seen')).status, 401)
  assert.equal((await contents.author.profile.myProfile({})).name, 'Ada')
})

test('auth frozen: 503 or 504 while it lasts, then everything continues', async () => {
  const [, , , unread = ''] = contents.ids
  platform.auth.signal('SIGSTOP')
  try {
    await until('what it has said to hold no longer', async () => (await guardedAnswers()).every(isUnavailable))
    const [answers, unseen, known] = await Promise.all([
      guardedAnswers(),
      read(platform.url, '/blog/list/latest', 'seen-by-nobody'),
      read(platform.blogUrl, `/id/${unread}`),
    ])
    for (const answer of answers) {
      const late = answer[0] === 504 && answer[1] === 'DEADLINE_EXCEEDED'
      assert.ok(late || (answer[0] === 503 && answer[1] === 'SERVICE_UNAVAILABLE'), String(answer))
    }
    assert.equal(unseen.status, 503)
    assert.equal(known.status, 200)
  } finally {
    platform.auth.signal('SIGCONT')
  }
  await until('writing to work', () => canWrite('after-the-frost'))
  assert.equal((await contents.author.profile.myProfile({})).name, 'Ada')
})
