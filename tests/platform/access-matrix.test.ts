import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { after, before, test } from 'node:test'
import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import type { BoundProcedure } from 'tsmicro/contract'
import { nameOfAccess, roleBesideOwner, statusesOf } from 'tsmicro/internal'
import { bearer, type Case, keyCases, roleCases, tokenCases } from '../support/access/callers.ts'
import { expectedOf } from '../support/access/expected.ts'
import { remade } from '../support/access/forgeries.ts'
import { type KeyedPlatform, sharedKeyedPlatform } from '../support/access/keyed-platform.ts'
import { proceduresIn, routeOf } from '../support/contracts.ts'
import { difference, dump, UNCHANGED } from '../support/databases.ts'
import { inParallel } from '../support/in-parallel.ts'
import { callerOf, inputOf } from '../support/inputs.ts'
import { assertNoSecretsLogged } from '../support/leaks.ts'
import { type NatsTap, tapNats } from '../support/nats-tap.ts'
import { patiently } from '../support/patiently.ts'
import { administrator, person } from '../support/people.ts'
import { assertEnvelope } from '../support/refusal.ts'
import type { Scene } from '../support/scene.ts'
import { type Answer, send } from '../support/send.ts'
import { share } from '../support/size.ts'
import { textTable } from '../support/text-table.ts'
import { wireOf } from '../support/wire.ts'

const procedures = proceduresIn(authContracts, blogContracts).filter(({ http }) => http !== undefined)
const labelOf = ({ service, name, access }: BoundProcedure) => `${service}.${name} (${nameOfAccess(access)})`

const resources = new AsyncDisposableStack()
const agent = new Agent({ keepAlive: true, maxSockets: 16 })
let keyed: KeyedPlatform
let tap: NatsTap
let scene: Scene
let cases: readonly Case[]
before(async () => {
  keyed = resources.use(await sharedKeyedPlatform())
  tap = resources.use(await tapNats(keyed.platform))
  resources.defer(() => agent.destroy())
  scene = keyed.scene
  const { platform } = keyed
  cases = [...(await keyCases(platform, scene)), ...(await tokenCases(keyed, scene)), ...roleCases(platform, scene)]
})
after(() => resources.disposeAsync())

interface Cell {
  readonly procedure: BoundProcedure
  readonly by: Case
}

/**
 * Callers who must be refused send requests that would take effect; callers who are admitted ask for things that do not exist, unless it
 * depends on the thing whether they are.
 */
async function ask({ procedure, by }: Cell): Promise<Answer> {
  const prefix = `/${procedure.service}`
  if (expectedOf(procedure, by) === 'admitted' && !roleBesideOwner(procedure.access)) {
    const headers = { ...by.headers, ...(await ownSession({ procedure, by })) }
    return patiently(() => send(keyed.platform.url, routeOf(procedure, prefix), { headers, agent }))
  }
  const { headers: _, ...input } = inputOf(procedure, scene)
  const { route, sent } = wireOf(procedure, input, prefix)
  return patiently(() =>
    send(keyed.platform.url, route, { ...sent, headers: { ...sent.headers, ...by.headers }, agent }),
  )
}

/** Signing out ends a session that other callers of the matrix use. */
async function ownSession({ procedure, by }: Cell): Promise<Readonly<Record<string, string>>> {
  if (`${procedure.service}.${procedure.name}` !== 'auth.signOut') return {}
  const { platform } = keyed
  const role = by.role as 'AUTHOR' | 'EDITOR'
  const { accessToken } = by.role === 'ADMIN' ? await administrator(platform) : await person(platform, 'Uwe', role)
  return bearer(accessToken)
}

test('every procedure × every way to call it', async t => {
  const { platform } = keyed
  const cells = share(procedures.flatMap(procedure => cases.map((by): Cell => ({ procedure, by }))))
  const refused = cells.filter(({ procedure, by }) => expectedOf(procedure, by) !== 'admitted')
  const admitted = cells.filter(cell => !refused.includes(cell))
  const before = await dump(platform)
  const refusals = await inParallel(refused, 16, ask)
  assert.deepEqual(difference(before, await dump(platform)), UNCHANGED, 'refused callers change nothing')
  const admissions = await inParallel(admitted, 16, ask)

  const table = new Map(procedures.map(procedure => [labelOf(procedure), cases.map(() => '')]))
  const wrong: string[] = []
  for (const [cell, answer] of [
    ...refused.map((cell, index) => [cell, refusals[index]] as const),
    ...admitted.map((cell, index) => [cell, admissions[index]] as const),
  ]) {
    if (!answer) continue
    const row = table.get(labelOf(cell.procedure)) ?? []
    row[cases.indexOf(cell.by)] = String(answer.status)
    if (!isAsExpected(cell, answer)) {
      wrong.push(`${labelOf(cell.procedure)} × ${cell.by.name}: ${answer.status} ${answer.text.slice(0, 200)}`)
    }
  }
  t.diagnostic(
    `Through the gateway, ${cells.length} cells\n${textTable(
      cases.map(({ name }) => name),
      table,
    )}`,
  )
  assert.deepEqual(wrong, [])
  const asked = [...table.values()].flat().filter(cell => cell !== '')
  assert.equal(asked.length, cells.length, 'every cell was asked')
  for (const [index, answer] of refusals.entries()) {
    const cell = refused[index]
    if (cell && expectedOf(cell.procedure, cell.by) !== 'no route') assertEnvelope(answer, platform)
  }
})

function isAsExpected({ procedure, by }: Cell, { status, body }: Answer): boolean {
  const expected = expectedOf(procedure, by)
  if (expected === 'admitted') return status !== 401 && status !== 403 && status < 500
  if (expected === 'no route') return status === 404 && body?.message === 'no Route matched with those values'
  return status === expected[0] && body?.error === expected[1]
}

/** Requests that end something that others need. */
const LAST = ['withdraw', 'unpublish', 'remove', 'revokeApiKey', 'refresh', 'signOutByToken', 'signOut']

test('the same requests take effect if the caller is allowed to make them', async () => {
  const { platform } = keyed
  for (const procedure of procedures.toSorted((a, b) => LAST.indexOf(a.name) - LAST.indexOf(b.name))) {
    // After a renewal, the old token can no longer end the session.
    if (procedure.name === 'signOut') scene = { ...scene, learner: await person(platform, 'Liv') }
    const internal = procedure.access === 'internal'
    const service = procedure.service === 'auth' ? platform.authUrl : platform.blogUrl
    const { route, sent } = wireOf(procedure, inputOf(procedure, scene), internal ? '' : `/${procedure.service}`)
    const own = internal ? {} : { 'x-api-key': platform.apiKey, ...bearer(callerOf(procedure, scene).accessToken) }
    const headers = { ...own, ...sent.headers }
    const { status, text } = await send(internal ? service : platform.url, route, { ...sent, headers, agent })
    assert.equal(status, statusesOf(procedure)[0], `${labelOf(procedure)}: ${text}`)
  }
})

test('a token made here is valid if it has no fault', async () => {
  const { platform, signingKeyOf } = keyed
  const { accessToken } = scene.admin
  const made = remade(accessToken, await signingKeyOf(accessToken))
  assert.notEqual(made, accessToken)
  for (const path of ['/auth/admin/apikeys', '/blog/editor/submitted']) {
    const headers = { 'x-api-key': platform.apiKey, ...bearer(made) }
    assert.equal((await send(platform.url, `GET ${path}`, { headers, agent })).status, 200)
  }
})

test('no secret is in any log, no password hash on NATS', async () => {
  const used = cases.flatMap(({ headers }) => Object.values(headers).map(value => value.replace(/^\w+ /, '')))
  assertNoSecretsLogged(keyed.platform, [...used, scene.admin.refreshToken, 'correct horse', 'changeit'])
  assert.ok(tap.messages > 0)
  assert.deepEqual(tap.matching(/\$argon2|password/i), [])
})
