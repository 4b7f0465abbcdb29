import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Tokens } from '@blog-platform/auth-contract'
import { createTokenSigner, createTokenVerifier, loadKeyRing } from 'tsmicro/auth'
import { createPostgres } from 'tsmicro/postgres'
import type { Tables } from '../src/database.ts'
import { MIGRATIONS } from '../src/database.ts'
import { startServers } from './support/servers.ts'
import { type Point, StoppableInstance } from './support/stoppable.ts'
import { claimsOf } from './support/tokens.ts'
import { until } from './support/until.ts'

const servers = await startServers()
const postgres = createPostgres<Tables>({ url: servers.postgres.url, poolSize: 20 })
await postgres.migrate(MIGRATIONS)
await postgres.outboxStore().prepare()
servers.cleanUp.defer(() => postgres.close())
const jwt = { issuer: 'https://auth.example', audience: 'example' }
const keyRing = await loadKeyRing({ directory: servers.keysDir, createIfMissing: true })
const verifier = createTokenVerifier({ ...jwt, keys: { loadKeys: async () => keyRing.jwks() } })
const signer = createTokenSigner({ ...jwt, keyRing })
const userId = randomUUID()
await servers.sql(`insert into users (id, email, password_hash, name) values ($1, 'owner@example.com', 'x', 'Owner')`, [
  userId,
])

/** Two instances, and one owner's session. */
async function startScene() {
  const instance = () => new StoppableInstance({ postgres, signer, verifier })
  const [one, two] = [instance(), instance()]
  const session = await one.sessions.begin(userId)
  const first = await one.sessions.tokensOf(session)
  let [newest, sinceIssuedMs]: [string | undefined, number] = [session.refreshId, 0]
  return {
    one,
    two,
    first,
    async pass(ms: number) {
      for (const instance of [one, two]) instance.pass(ms)
      // The time that the test itself takes is subtracted: only time that passes here counts.
      const [row] = await servers.sql<{ refresh_id: string }>('select refresh_id from sessions where id = $1', [
        session.id,
      ])
      if (row?.refresh_id !== newest) sinceIssuedMs = 0
      newest = row?.refresh_id
      sinceIssuedMs += ms
      await servers.sql(`update sessions set issued_at = clock_timestamp() - $1 * interval '1 ms' where id = $2`, [
        sinceIssuedMs,
        session.id,
      ])
    },
    isGood: async ({ accessToken }: Tokens) =>
      (await two.sessions.ownerOf(await verifier.verify(accessToken, { type: 'access' }))) !== undefined,
    /** Waits for what is recorded after an answer. */
    noted: () =>
      until('the answer to be recorded', async () => {
        const [row] = await servers.sql<{ answered_ms: unknown }>('select answered_ms from sessions where id = $1', [
          session.id,
        ])
        return row?.answered_ms !== null
      }),
  }
}
type Scene = Awaited<ReturnType<typeof startScene>>

/** What the owner does while the first instance is stopped; resolves to the newest tokens that the owner has received. */
const MEANWHILE: Readonly<Record<string, (scene: Scene) => Promise<Tokens>>> = {
  'waits for it': async ({ first }) => first,
  'repeats it elsewhere': ({ two, first }) => two.renew(first),
  'repeats it elsewhere and goes on': async ({ two, first }) => two.renew(await two.renew(first)),
  'repeats it twice, as the first answer was lost': async ({ two, first, pass }) => {
    await two.renew(first)
    await pass(4000)
    return two.renew(first)
  },
}

/** What happened before: the pair is the newest one, or was just exchanged by a renewal whose answer was lost. */
const BEFORE = ['nothing', 'a lost answer'] as const

/** What happens to the stopped instance, and when it notices that its caller has left. */
const ENDINGS = ['sees it at once', 'sees it late', 'never sees it', 'loses its connection', 'is killed'] as const

interface Case {
  readonly before: (typeof BEFORE)[number]
  readonly point: Point
  readonly meanwhile: string
  readonly ending: (typeof ENDINGS)[number]
  readonly frozenMs: number
}

const FROZEN_MS = [4500, 16_000, 600_000]

const PLACES: Readonly<Record<Case['before'], readonly Point[]>> = {
  nothing: ['unread', 'verifying', 'exchanged', 'signing'],
  'a lost answer': ['unread', 'verifying', 'exchanged', 'looked up', 'signing'],
}

const all: Case[] = BEFORE.flatMap(before =>
  PLACES[before].flatMap(point =>
    Object.keys(MEANWHILE).flatMap(meanwhile =>
      ENDINGS.flatMap(ending => FROZEN_MS.map(frozenMs => ({ before, point, meanwhile, ending, frozenMs }))),
    ),
  ),
).filter(isKept)
/** All of them in CI; otherwise every seventh, which includes some of each kind. */
const cases = process.env.CI ? all : all.filter((_, number) => number % 7 === 0)

/** Callers who got an answer must come back within ten seconds. */
function isKept({ before, meanwhile, frozenMs }: Case): boolean {
  if (before === 'nothing') return true
  return meanwhile === 'waits for it' ? frozenMs < 6000 : !meanwhile.startsWith('repeats it twice')
}

async function play({ before, point, meanwhile, ending, frozenMs }: Case): Promise<void> {
  const scene = await startScene()
  const { one, two, first, pass } = scene
  if (before === 'a lost answer') {
    await two.renew(first)
    await scene.noted()
    await pass(4000)
  }
  const caller = new AbortController()
  const stop = one.stopAt(point)
  const late = one.renew(first, caller.signal).catch((error: Error) => error)
  await Promise.race([stop.reached, late.then(() => assert.fail('it was not stopped'))])
  await pass(4000)
  let newest = (await MEANWHILE[meanwhile]?.(scene)) ?? first
  if (newest !== first) await scene.noted()
  await pass(frozenMs - 4000)
  if (ending === 'sees it at once') caller.abort(new Error('gone'))
  if (ending === 'loses its connection') stop.fail()
  else if (ending !== 'is killed') stop.goOn()
  if (ending === 'sees it late') {
    await turn()
    caller.abort(new Error('gone'))
  }
  if (ending !== 'is killed') await late
  // Callers who got no answer ask again, with the tokens they have.
  if (newest === first) newest = await two.renew(first)
  await assertOwnerKeeps(scene, newest)
  await assertTheftEnds(scene, first)
}

async function assertOwnerKeeps({ isGood }: Scene, newest: Tokens): Promise<void> {
  assert.ok(await isGood(newest), 'the owner is signed out')
}

/** After all that, the use of an old token is still detected. */
async function assertTheftEnds({ two, isGood, pass, noted }: Scene, stolen: Tokens): Promise<void> {
  await noted()
  await pass(20_000)
  await assert.rejects(two.renew(stolen), { name: 'REFRESH_TOKEN_INVALID' })
  const [row] = await servers.sql<{ revoked: boolean }>(
    'select revoked_at is not null as revoked from sessions where id = $1',
    [claimsOf(stolen.accessToken).sid],
  )
  assert.equal(row?.revoked, true, 'a theft was not detected')
  assert.ok(!(await isGood(stolen)))
}

test('using an exchanged pair long after its answer ends the session, unless the caller leaves before that is decided', async () => {
  for (const point of ['looked up', 'ending', 'ended'] as const)
    for (const isGone of [true, false]) {
      const scene = await startScene()
      const { one, two, first, pass, isGood } = scene
      const owners = await two.renew(first)
      await scene.noted()
      await pass(20_000)
      const caller = new AbortController()
      const stop = one.stopAt(point)
      const late = one.renew(first, caller.signal).catch((error: Error) => error)
      await Promise.race([stop.reached, late.then(error => assert.fail(`not stopped: ${error}`))])
      await pass(16_000)
      if (isGone) caller.abort(new Error('gone'))
      stop.goOn()
      assert.ok((await late) instanceof Error, `${point}, gone: ${isGone}`)
      // From there on the decision is made, based on when the request was sent; carrying it out late is still correct.
      assert.equal(await isGood(owners), point === 'looked up', `${point}, gone: ${isGone}`)
    }
})

test(`an owner keeps the session, and a thief ends it, in ${cases.length} interleavings of a stopped instance`, async () => {
  const queue = [...cases]
  const worker = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      await play(next).catch(cause => {
        throw new Error(`${JSON.stringify(next)}: ${cause.message}`, { cause })
      })
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
})
