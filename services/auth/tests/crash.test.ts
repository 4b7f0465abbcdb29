// CI alone: services/blog/tests/process.test.ts kills a service, and ends one under load, by hand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newcomer } from './support/accounts.ts'
import { send } from './support/http.ts'
import { spawnAuth } from './support/process.ts'
import { startServers } from './support/servers.ts'
import { until } from './support/until.ts'

const servers = await startServers()
const CLIENTS = 8

interface Attempt {
  readonly email: string
  readonly password: string
  /** Undefined if no answer came. */
  readonly status: number | undefined
}

/** Signs up new accounts from several clients until it is stopped, or until nobody answers. */
function load(url: string) {
  const attempts: Attempt[] = []
  let stopped = false
  const client = async () => {
    while (!stopped) {
      const body = newcomer()
      const status = await send(url, 'POST /signup/basic', { body }).then(
        answer => answer.status,
        () => undefined,
      )
      attempts.push({ ...body, status })
      if (status === undefined) return
    }
  }
  const done = Promise.all(Array.from({ length: CLIENTS }, client))
  const acknowledged = () => attempts.filter(({ status }) => status === 200)
  return {
    attempts,
    done,
    acknowledged,
    stop() {
      stopped = true
      return done
    },
  }
}

test('kill -9 loses no acknowledged account', async () => {
  const first = await spawnAuth(servers)
  await first.says('auth is ready')
  const { done, acknowledged } = load(first.url)
  await until('some accounts', () => acknowledged().length >= 10)
  first.kill('SIGKILL')
  await done
  const second = await spawnAuth(servers)
  await second.says('auth is ready')
  const signIns = acknowledged().map(async ({ email, password }) => {
    const answer = await send(second.url, 'POST /signin/basic', { body: { email, password } })
    assert.equal(answer.status, 200, answer.text)
  })
  await Promise.all(signIns)
})

test('SIGTERM under load: requests that have started are finished and answered, then the process exits with 0', async () => {
  const auth = await spawnAuth(servers)
  await auth.says('auth is ready')
  const { attempts, done, acknowledged } = load(auth.url)
  await until('some accounts', () => acknowledged().length >= 10)
  auth.kill('SIGTERM')
  await done
  assert.deepEqual(await auth.exited, { code: 0, signal: null }, auth.lines.join('\n'))
  for (const { status } of attempts) assert.ok(status === 200 || status === 503 || status === undefined, `${status}`)
  const rows = await servers.sql<{ email: string }>('select email from users')
  const stored = new Set(rows.map(({ email }) => email))
  for (const { email, status } of attempts) assert.equal(stored.has(email), status === 200, `${status}`)
  assert.deepEqual(
    auth.lines.filter(line => /"level":"(error|fatal)"/.test(line)),
    [],
  )
})
