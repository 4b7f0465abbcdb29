/*
 * Takes access away while requests with it are made all the time, and processes are frozen and killed meanwhile. No request that begins later
 * than the lease after the change has been answered may pass. That holds however busy the machine is: the lease counts from before the
 * question whose answer it depends on.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { createKeyFile } from 'tsmicro/auth'
import { createMembers, type Member } from '../support/access/members.ts'
import { bearer } from '../support/contents.ts'
import { inParallel } from '../support/in-parallel.ts'
import { administrator, type Person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { send } from '../support/send.ts'
import { inFull } from '../support/size.ts'
import { until } from '../support/until.ts'

const RACES = inFull ? 10_000 : 240
const AT_ONCE = 16
/** The longest time for which the blog service uses what it was told: its default. */
const LEASE_MS = 800
const FROZEN_MS = 1500

const resources = new AsyncDisposableStack()
const agent = new Agent({ keepAlive: true })
let platform: Platform
let keysDir: string
let admin: Person
let sql: pg.Pool
before(async () => {
  keysDir = await mkdtemp(join(tmpdir(), 'tsmicro-revocation-'))
  resources.defer(() => rm(keysDir, { recursive: true, force: true }))
  platform = resources.use(
    await startPlatform({ authReplicas: 2, patient: true, env: { KEYS_DIR: keysDir, LOG_LEVEL: 'error' } }),
  )
  admin = await administrator(platform)
  sql = new pg.Pool({ connectionString: platform.postgres.url })
  resources.defer(() => sql.end())
  resources.defer(() => agent.destroy())
})
after(() => resources.disposeAsync())

/** Ways to lose access. They resolve once the change is committed. */
const change = async (text: string, id: string) => void (await sql.query(text, [id]))
const WAYS: Readonly<Record<string, (member: Member) => Promise<void>>> = {
  'signed out': async ({ token }) => {
    const { status, text } = await send(platform.auth.url, 'DELETE /signout', {
      headers: bearer({ accessToken: token }),
      agent,
    })
    assert.equal(status, 200, text)
  },
  'role taken': async ({ id }) => {
    const headers = bearer(admin)
    const { status, text } = await send(platform.auth.url, `PUT /admin/users/${id}/roles`, {
      headers,
      agent,
      json: { roles: ['LEARNER'] },
    })
    assert.equal(status, 200, text)
  },
  'session ended, not announced': ({ sessionId }) =>
    change('update sessions set revoked_at = now() where id = $1', sessionId),
  'role taken, not announced': ({ id }) =>
    change(`delete from user_roles using roles where roles.id = role_id and code = 'AUTHOR' and user_id = $1`, id),
  'account closed': ({ id }) => change('update users set status = false where id = $1', id),
  'account deleted': ({ id }) => change('delete from users where id = $1', id),
}

const ask = async ({ token }: Member): Promise<number> => {
  const headers = bearer({ accessToken: token })
  return (await send(platform.blogUrl, 'GET /author/drafts', { headers, agent })).status
}

interface Outcome {
  /** Milliseconds from the answered change to the beginning of the last request that passed; negative if none passed. */
  readonly passedMs: number
  readonly status: number
}

/** Makes requests without end until one is refused for good, after access was taken away in between. */
async function race(member: Member, lose: (member: Member) => Promise<void>): Promise<Outcome> {
  await until('access', async () => (await ask(member)) === 200)
  let lostAt = Number.POSITIVE_INFINITY
  const losing = pause(Math.random() * 20).then(async () => {
    await lose(member)
    lostAt = performance.now()
  })
  losing.catch(() => {})
  let lastPassed = Number.NEGATIVE_INFINITY
  for (;;) {
    const beganAt = performance.now()
    const status = await ask(member)
    if (status === 200) lastPassed = beganAt
    else if (status === 401 || status === 403) {
      await losing
      return { passedMs: lastPassed - lostAt, status }
    } else assert.ok(status === 503 || status === 504, `${status}`)
    await pause(Math.random() * 10)
  }
}

function report(t: TestContext, what: string, outcomes: readonly Outcome[]): void {
  const times = outcomes.map(({ passedMs }) => Math.max(0, passedMs)).sort((a, b) => a - b)
  const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0)
  t.diagnostic(`${what}: ${times.length} times, median ${at(0.5)} ms, 99 % ${at(0.99)} ms, worst ${at(1)} ms`)
  const late = outcomes.filter(({ passedMs }) => passedMs > LEASE_MS)
  assert.deepEqual(late, [], what)
}

/** Races in every way at the same time. */
async function raceInEveryWay(t: TestContext, count: number): Promise<void> {
  const members = await createMembers(platform, keysDir, count)
  const ways = Object.entries(WAYS)
  const all = new Map<string, Outcome[]>(ways.map(([name]) => [name, []]))
  await inParallel(members.entries(), AT_ONCE, async ([index, member]) => {
    const [name, lose] = ways[index % ways.length] ?? []
    assert.ok(name !== undefined && lose)
    all.get(name)?.push(await race(member, lose))
  })
  for (const [name, outcomes] of all) report(t, name, outcomes)
}

test('with everything healthy, whoever loses access is refused', t => raceInEveryWay(t, Math.ceil(RACES / 2)))

/** Lets faults happen one after the other while something is done. */
async function amid(work: () => Promise<void>, faults: readonly (() => Promise<void>)[]): Promise<void> {
  let done = false
  const working = work().finally(() => {
    done = true
  })
  working.catch(() => {})
  // Each of them at least once.
  for (let turn = 0; turn < faults.length || !done; turn++) {
    await faults[turn % faults.length]?.()
    await pause(300)
  }
  await working
}

const frozen = (freeze: (signal: 'SIGSTOP' | 'SIGCONT') => void) => async () => {
  freeze('SIGSTOP')
  await pause(FROZEN_MS)
  freeze('SIGCONT')
}

test('the same while auth, NATS and the verifier freeze in turn, and an auth instance dies', t => {
  const [, other] = platform.auths
  assert.ok(other)
  return amid(
    () => raceInEveryWay(t, Math.floor(RACES / 2)),
    [
      frozen(signal => other.signal(signal)),
      frozen(signal => platform.nats.kill(signal)),
      frozen(signal => platform.blog.signal(signal)),
      frozen(signal => platform.auth.signal(signal)),
      async () => {
        await other.end('SIGKILL')
        await other.start()
      },
    ],
  )
})

test('what an instance has committed right before it dies is told by the other one', async t => {
  const [, writer] = platform.auths
  assert.ok(writer)
  const outcomes: Outcome[] = []
  for (let round = 0; round < 3; round++) {
    const members = await createMembers(platform, keysDir, 8)
    let left = members.length
    const everyone = Promise.withResolvers<void>()
    const lose = async ({ token }: Member) => {
      const { status } = await send(writer.url, 'DELETE /signout', { headers: bearer({ accessToken: token }) })
      assert.equal(status, 200)
      if (--left === 0) everyone.resolve()
    }
    const racing = inParallel(members, members.length, member => race(member, lose))
    await everyone.promise
    await writer.end('SIGKILL')
    outcomes.push(...(await racing))
    await writer.start()
  }
  report(t, 'signed out at an instance that dies', outcomes)
})

test('a withdrawn signing key is refused by both services, and what the next one signs is accepted', async t => {
  const members = await createMembers(platform, keysDir, 4)
  const { kid, file } = await createKeyFile(keysDir)
  await until('the new key to be known', async () => {
    const { rows } = await sql.query('select 1 from signing_keys where kid = $1', [kid])
    return rows.length === 1
  })
  const [first] = members
  assert.ok(first)
  const old = JSON.parse(Buffer.from(first.token.split('.')[0] ?? '', 'base64url').toString()).kid
  const withdraw = () => change('update signing_keys set withdrawn_at = now() where kid = $1', old)
  const withdrawn = Promise.withResolvers<void>()
  const outcomes = await inParallel(members.entries(), members.length, ([index, member]) =>
    race(member, async () => {
      if (index === 0) await withdraw().then(withdrawn.resolve, withdrawn.reject)
      await withdrawn.promise
    }),
  )
  report(t, 'key withdrawn', outcomes)
  const headers = bearer({ accessToken: first.token })
  assert.equal((await send(platform.auth.url, 'GET /profile/mine', { headers })).status, 401)
  const [next] = await createMembers(platform, keysDir, 1)
  assert.ok(next && file)
  await until('the new key to be accepted', async () => (await ask(next)) === 200)
})
