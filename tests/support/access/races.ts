import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { bearer } from '../contents.ts'
import { inParallel } from '../in-parallel.ts'
import type { Direction } from '../link.ts'
import { patiently } from '../patiently.ts'
import { administrator } from '../people.ts'
import { type Platform, startPlatform } from '../platform.ts'
import type { Program } from '../program.ts'
import { send } from '../send.ts'
import { until } from '../until.ts'
import { createMembers, type Member } from './members.ts'

/** The longest time for which the blog service uses what it was told: its default. */
export const LEASE_MS = 800
const AT_ONCE = 16
const FROZEN_MS = 1500
const CALM_MS = 300

/** Takes access away. Resolves once the change is committed. */
type Way = (member: Member) => Promise<void>

export interface Outcome {
  readonly member: Member
  /** Milliseconds from the answered change to the beginning of the last request that passed; negative if none passed. */
  readonly passedMs: number
}

/** A platform in which access is taken away while requests with it are made all the time. */
export interface Races extends AsyncDisposable {
  readonly platform: Platform
  readonly keysDir: string
  readonly sql: pg.Pool
  /** Makes requests without end until one is refused for good, after access was taken away in between. */
  race(member: Member, lose: Way): Promise<Outcome>
  /** Races in every way at the same time; by the way. Afterwards nobody gets in at any instance. */
  everyWay(count: number): Promise<ReadonlyMap<string, readonly Outcome[]>>
  /** Lets whatever verifies or tells freeze or die meanwhile, one after the other, each at least once. */
  amidFaults<T>(work: () => Promise<T>): Promise<T>
}

export async function openRaces(): Promise<Races> {
  await using opened = new AsyncDisposableStack()
  const keysDir = await mkdtemp(join(tmpdir(), 'tsmicro-revocation-'))
  opened.defer(() => rm(keysDir, { recursive: true, force: true }))
  const env = { KEYS_DIR: keysDir, LOG_LEVEL: 'error' }
  const platform = opened.use(
    await startPlatform({ authReplicas: 2, blogReplicas: 2, patient: true, links: true, env }),
  )
  const admin = await administrator(platform)
  const sql = new pg.Pool({ connectionString: platform.postgres.url })
  opened.defer(() => sql.end())
  const agent = new Agent({ keepAlive: true })
  opened.defer(() => agent.destroy())
  const ways = Object.entries(waysToLose(platform, admin.accessToken, agent, sql))

  const ask = async ({ token }: Member, blog = platform.blog): Promise<number> =>
    (await send(blog.url, 'GET /author/drafts', { headers: bearer({ accessToken: token }), agent })).status

  const [bystander] = await createMembers(platform, keysDir, 1)
  assert.ok(bystander)

  const race = async (member: Member, lose: Way): Promise<Outcome> => {
    const blog = platform.blogs[Math.floor(Math.random() * platform.blogs.length)]
    await until('access', async () => (await ask(member, blog)) === 200)
    let lostAt = Number.POSITIVE_INFINITY
    const losing = pause(Math.random() * 20).then(async () => {
      await lose(member)
      lostAt = performance.now()
    })
    let failure: unknown
    losing.catch(error => {
      failure = error
    })
    let lastPassed = Number.NEGATIVE_INFINITY
    for (;;) {
      // Whoever still has access would be let in for ever.
      if (failure !== undefined) throw failure
      const beganAt = performance.now()
      const status = await ask(member, blog)
      if (status === 200) lastPassed = beganAt
      else if (status === 401 || status === 403) {
        await losing
        return { member, passedMs: lastPassed - lostAt }
      } else assert.ok(status === 503 || status === 504, `${status}`)
      await pause(Math.random() * 10)
    }
  }

  const all = opened.move()
  return {
    platform,
    keysDir,
    sql,
    race,
    async everyWay(count) {
      const members = await createMembers(platform, keysDir, count)
      const outcomes = new Map<string, Outcome[]>(ways.map(([name]) => [name, []]))
      await inParallel(members.entries(), AT_ONCE, async ([index, member]) => {
        const [name, lose] = ways[index % ways.length] ?? []
        assert.ok(name !== undefined && lose)
        outcomes.get(name)?.push(await race(member, lose))
      })
      await pause(LEASE_MS)
      for (const blog of platform.blogs)
        await inParallel(members, AT_ONCE, async member => assert.notEqual(await ask(member, blog), 200))
      return outcomes
    },
    async amidFaults(work) {
      let done = false
      const working = work().finally(() => {
        done = true
      })
      working.catch(() => {})
      const faults = faultsOf(platform)
      for (let turn = 0; turn < faults.length || !done; turn++) {
        await faults[turn % faults.length]?.()
        // On a busy machine a fault's end is not the end of its effects; without calm nobody would ever have access.
        for (const blog of platform.blogs) await until('calm', async () => (await ask(bystander, blog)) === 200)
        await pause(CALM_MS)
      }
      return working
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** How long requests passed, in one line; and the outcomes that the lease does not allow. */
export function describe(what: string, outcomes: readonly Outcome[]) {
  const times = outcomes.map(({ passedMs }) => Math.max(0, passedMs)).sort((a, b) => a - b)
  const at = (share: number) => Math.round(times[Math.floor((times.length - 1) * share)] ?? 0)
  const line = `${what}: ${times.length} times, median ${at(0.5)} ms, 99 % ${at(0.99)} ms, worst ${at(1)} ms`
  return { line, late: outcomes.filter(({ passedMs }) => passedMs > LEASE_MS) }
}

function waysToLose({ auth }: Platform, adminToken: string, agent: Agent, sql: pg.Pool): Readonly<Record<string, Way>> {
  const call = async (route: string, accessToken: string, json?: object) => {
    let asked = 0
    const { status, text } = await patiently(() => {
      asked++
      return send(auth.url, route, { headers: bearer({ accessToken }), agent, ...(json && { json }) })
    })
    // What was answered as unavailable may have been done, and then there is no session for the second attempt.
    assert.ok(status === 200 || (status === 401 && asked > 1), text)
  }
  const change = async (text: string, id: string) => void (await sql.query(text, [id]))
  return {
    'signed out': ({ token }) => call('DELETE /signout', token),
    'role taken': ({ id }) => call(`PUT /admin/users/${id}/roles`, adminToken, { roles: ['LEARNER'] }),
    'session ended, not announced': ({ sessionId }) =>
      change('update sessions set revoked_at = now() where id = $1', sessionId),
    'role taken, not announced': ({ id }) =>
      change(`delete from user_roles using roles where roles.id = role_id and code = 'AUTHOR' and user_id = $1`, id),
    'account closed': ({ id }) => change('update users set status = false where id = $1', id),
    'account deleted': ({ id }) => change('delete from users where id = $1', id),
  }
}

function faultsOf({ auth, auths: [, other], blog, nats, linkOf }: Platform): readonly (() => Promise<void>)[] {
  assert.ok(other)
  const frozen = (send: (signal: 'SIGSTOP' | 'SIGCONT') => void) => async () => {
    send('SIGSTOP')
    await pause(FROZEN_MS)
    send('SIGCONT')
  }
  // The verifier or who tells it is away from NATS, wholly or in one direction; what was sent arrives late.
  const partitioned =
    (program: Program, ...directions: Direction[]) =>
    async () => {
      const link = linkOf(program)
      assert.ok(link)
      link.cut(...directions)
      await pause(FROZEN_MS)
      link.heal()
    }
  return [
    frozen(signal => other.signal(signal)),
    frozen(signal => nats.kill(signal)),
    frozen(signal => blog.signal(signal)),
    frozen(signal => auth.signal(signal)),
    partitioned(blog, 'to', 'from'),
    partitioned(blog, 'from'),
    partitioned(blog, 'to'),
    partitioned(auth, 'to', 'from'),
    partitioned(other, 'to'),
    async () => {
      await other.end('SIGKILL')
      await other.start()
    },
  ]
}
