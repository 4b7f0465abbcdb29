import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { startNats } from '@tsmicro/infra'
import { natsAuthorization } from 'tsmicro/contract'
import { nameOfAccess, needsUser } from 'tsmicro/internal'
import permissions from '../../deploy/nats/permissions.json' with { type: 'json' }
import { tokenCases } from '../support/access/callers.ts'
import { remade } from '../support/access/forgeries.ts'
import { type KeyedPlatform, sharedKeyedPlatform } from '../support/access/keyed-platform.ts'
import { mayCall, NatsUser } from '../support/access/nats-users.ts'
import { proceduresIn } from '../support/contracts.ts'
import { assertNoSecretsLogged } from '../support/leaks.ts'
import type { Scene } from '../support/scene.ts'
import { textTable } from '../support/text-table.ts'

const procedures = proceduresIn(authContracts, blogContracts).filter(({ subject }) => subject !== undefined)
const resources = new AsyncDisposableStack()
let keyed: KeyedPlatform
let scene: Scene
let observer: NatsConnection
before(async () => {
  keyed = resources.use(await sharedKeyedPlatform())
  scene = keyed.scene
  observer = await connect({ servers: new URL(keyed.platform.nats.url).host })
  resources.defer(() => observer.close())
})
after(() => resources.disposeAsync())

test('every NATS procedure × every service: only what it calls', async t => {
  const services = ['auth', 'blog'] as const
  const calls = { auth: [], blog: [authContracts.validation, authContracts.profile] }
  const users = await Promise.all(
    services.map(async service => resources.use(await NatsUser.connect(service, keyed.platform))),
  )
  const columns = services.map(service => `the ${service} service`)
  const expected = procedures.map(procedure => services.map(service => mayCall(procedure, calls[service])))
  const actual = await Promise.all(
    procedures.map(({ subject }) => Promise.all(users.map(user => user.ask(subject ?? '')))),
  )
  const labels = procedures.map(({ subject, access }) => `${subject} (${nameOfAccess(access)})`)
  t.diagnostic(`Over NATS\n${textTable(columns, new Map(labels.map((label, row) => [label, actual[row] ?? []])))}`)
  assert.deepEqual(actual, expected)
  assert.ok(expected.flat().includes('answered') && expected.flat().includes('refused'))
})

test('nobody can connect without a valid name and password', async () => {
  const { host } = new URL(keyed.platform.nats.url)
  for (const [user = '', pass = ''] of [
    ['auth', 'wrong'],
    ['blog', ''],
    ['nobody', 'nobody-for-tests'],
  ]) {
    await assert.rejects(connect({ servers: host, user, pass, reconnect: false }), /authorization violation/i)
  }
  // Here a connection without a name is accepted for the test's observer; by default none is.
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-nats-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'nats.conf')
  await writeFile(
    file,
    natsAuthorization(permissions, () => '"secret"'),
  )
  const strict = resources.use(await startNats({ ephemeral: true, extraArgs: ['-c', file] }))
  await assert.rejects(connect({ servers: new URL(strict.url).host, reconnect: false }), /authorization violation/i)
})

test('so far no procedure with a NATS door requires a user', () => {
  // The first one that does belongs in the matrix of tokens over NATS.
  assert.deepEqual(
    procedures.filter(({ access }) => needsUser(access)),
    [],
  )
})

/** What the auth service says about a token. */
async function validate(token: string): Promise<unknown> {
  const reply = await observer.request('auth.validate.token', JSON.stringify({ data: { token } }), { timeout: 10_000 })
  return reply.headers?.get('Tsmicro-Error') || Object.keys(reply.json<{ data: object }>().data)
}

test('the auth service accepts valid tokens and no others', async () => {
  const { accessToken } = scene.admin
  const good = [accessToken, remade(accessToken, await keyed.signingKeyOf(accessToken))]
  for (const token of good) assert.deepEqual(await validate(token), ['id', 'name', 'sessionId'])
  const cases = (await tokenCases(keyed, scene)).flatMap(({ name, headers: { authorization = '' } }) => {
    const token = authorization.replace(/^Bearer /, '')
    return token === accessToken || token === '' ? [] : [{ name, token }]
  })
  assert.ok(cases.length > 30)
  for (const { name, token } of cases) assert.equal(await validate(token), 'TOKEN_INVALID', name)
  assertNoSecretsLogged(keyed.platform, [...good, ...cases.map(({ token }) => token)])
})
