// CI alone: packages/tsmicro/src/postgres/cancel.test.ts and the suites of tests/conformance cancel by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { bearer } from '../support/contents.ts'
import { draft, type Person, person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { send } from '../support/send.ts'
import { until } from '../support/until.ts'

let platform: Platform
let author: Person
/** Two connections, because a transaction sees other activity as it was at its first look. */
let locker: pg.Client
let watcher: pg.Client
before(async () => {
  platform = await startPlatform()
  author = await person(platform, 'Ada', 'AUTHOR')
  locker = new pg.Client({ connectionString: platform.postgres.url })
  watcher = new pg.Client({ connectionString: platform.postgres.url })
  await Promise.all([locker.connect(), watcher.connect()])
})
after(async () => {
  await Promise.all([locker?.end(), watcher?.end()])
  await platform?.[Symbol.asyncDispose]()
})

/** Statements of the auth service that are waiting for our lock. */
async function waiting(): Promise<number> {
  const { rows } = await watcher.query(`select count(*)::int as count from pg_stat_activity
    where wait_event_type = 'Lock' and query like '%users%'`)
  return rows[0].count
}

/** Nobody can read users while it runs. */
async function locked(work: () => Promise<void>): Promise<void> {
  await locker.query('begin')
  try {
    await locker.query('lock table users in access exclusive mode')
    await work()
  } finally {
    await locker.query('rollback')
  }
}

test('a client that disconnects ends the statement in PostgreSQL', async () => {
  await locked(async () => {
    const controller = new AbortController()
    const headers = bearer(author)
    const requests = Array.from({ length: 5 }, () =>
      fetch(`${platform.authUrl}/profile/mine`, { headers, signal: controller.signal }),
    )
    const gone = Promise.all(requests.map(request => assert.rejects(request)))
    await until('a statement to wait', async () => (await waiting()) >= 5)
    controller.abort()
    await gone
    await until('the statements to be gone', async () => (await waiting()) === 0)
  })
  assert.equal((await send(platform.authUrl, 'GET /profile/mine', { headers: bearer(author) })).status, 200)
})

test('also across the gateway, another service and NATS', async () => {
  const headers = { ...bearer(author), 'x-api-key': platform.apiKey, 'content-type': 'application/json' }
  // The gateway must already know the key.
  await send(platform.url, 'GET /blog/list/latest', { headers: { 'x-api-key': platform.apiKey } })
  await locked(async () => {
    const controller = new AbortController()
    const body = JSON.stringify(draft('never'))
    const request = fetch(`${platform.url}/blog/author`, { method: 'POST', headers, body, signal: controller.signal })
    const gone = assert.rejects(request)
    await until('a statement to wait', async () => (await waiting()) >= 1)
    controller.abort()
    await gone
    await until('the statement to be gone', async () => (await waiting()) === 0)
  })
  const { status } = await send(platform.blogUrl, 'POST /author', { headers: bearer(author), json: draft('never') })
  assert.equal(status, 201)
})
