/*
 * Takes access away while requests with it are made all the time, and processes are frozen, killed and cut off meanwhile. No request that
 * begins later than the lease after the change has been answered may pass. That holds however busy the machine is: the lease counts from
 * before the question whose answer it depends on.
 */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { createKeyFile } from 'tsmicro/auth'
import { createMembers, type Member } from '../support/access/members.ts'
import { describe, type Outcome, openRaces, type Races } from '../support/access/races.ts'
import { bearer } from '../support/contents.ts'
import { inParallel } from '../support/in-parallel.ts'
import { send } from '../support/send.ts'
import { inFull } from '../support/size.ts'
import { until } from '../support/until.ts'

/** `.ci/full` has ten thousand. */
const RACES = Number(process.env.RACES ?? (inFull ? 1000 : 96))

let races: Races
before(async () => {
  races = await openRaces()
})
after(() => races?.[Symbol.asyncDispose]())

function report(t: TestContext, what: string, outcomes: readonly Outcome[]): void {
  const { line, late } = describe(what, outcomes)
  t.diagnostic(line)
  assert.deepEqual(late, [], what)
}

test('with everything healthy, whoever loses access is refused', async t => {
  for (const [way, outcomes] of await races.everyWay(RACES / 2)) report(t, way, outcomes)
})

test('the same while auth, NATS and the verifier freeze or are cut off in turn, and an auth instance dies', async t => {
  for (const [way, outcomes] of await races.amidFaults(() => races.everyWay(RACES / 2))) report(t, way, outcomes)
})

test('what an instance has committed right before it dies is told by the other one', async t => {
  const { platform, keysDir, race } = races
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
  const { platform, keysDir, sql, race } = races
  const members = await createMembers(platform, keysDir, 8)
  const { kid } = await createKeyFile(keysDir)
  await until('the new key to be known', async () => {
    const { rows } = await sql.query('select 1 from signing_keys where kid = $1', [kid])
    return rows.length === 1
  })
  // Once all of them had access.
  let waiting = members.length
  const withdrawn = Promise.withResolvers<unknown>()
  const lose = async () => {
    const withdraw = () => sql.query('update signing_keys set withdrawn_at = now() where kid <> $1', [kid])
    if (--waiting === 0) withdraw().then(withdrawn.resolve, withdrawn.reject)
    await withdrawn.promise
  }
  report(t, 'key withdrawn', await inParallel(members, members.length, member => race(member, lose)))
  const profile = async ({ token }: Member) =>
    (await send(platform.auth.url, 'GET /profile/mine', { headers: bearer({ accessToken: token }) })).status
  for (const member of members) assert.equal(await profile(member), 401)
  for (const member of await createMembers(platform, keysDir, 4)) {
    assert.equal(await profile(member), 200)
    await race(member, async () => void (await sql.query('delete from users where id = $1', [member.id])))
  }
})
