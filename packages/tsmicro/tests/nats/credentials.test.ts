import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { startNats } from '@tsmicro/infra'
import { contract, event, natsAuthorization, natsPermissionsOf } from 'tsmicro/contract'
import { natsListenerOf } from 'tsmicro/internal'
import Type from 'typebox'

test('nobody connects without credentials, or with wrong ones', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-credentials-'))
  after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'nats.conf')
  const users = ['auth', 'blog'].map(service => natsPermissionsOf({ service, serves: [] }))
  await writeFile(
    file,
    natsAuthorization(users, user => JSON.stringify(`${user}-password`)),
  )
  await using server = await startNats({ ephemeral: true, extraArgs: ['-c', file] })
  const servers = new URL(server.url).host
  const right = await connect({ servers, user: 'blog', pass: 'blog-password', reconnect: false })
  await right.close()
  await assert.rejects(connect({ servers, reconnect: false }), /[Aa]uthorization/)
  await assert.rejects(connect({ servers, user: 'blog', pass: 'auth-password', reconnect: false }), /[Aa]uthorization/)
})

test('a user who only listens receives its events, and may publish nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-listener-'))
  after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'nats.conf')
  const data = Type.Object({ id: Type.String() })
  const spoken = contract('auth', { revoked: event({ subject: 'apikey.revoked', data, aggregate: 'id' }) })
  const users = [natsPermissionsOf({ service: 'auth', serves: [spoken] }), natsListenerOf('gateway', [spoken])]
  await writeFile(
    file,
    natsAuthorization(users, user => JSON.stringify(`${user}-password`)),
  )
  await using server = await startNats({ ephemeral: true, extraArgs: ['-c', file] })
  const servers = new URL(server.url).host
  const as = (user: string) => connect({ servers, user, pass: `${user}-password`, reconnect: false })
  const [auth, gateway] = [await as('auth'), await as('gateway')]
  try {
    const heard: string[] = []
    gateway.subscribe('apikey.revoked', { callback: (_, msg) => void heard.push(msg.string()) })
    const refused = refusalsOf(gateway)
    for (const subject of ['apikey.>', 'auth.>', '_INBOX.>', '>']) gateway.subscribe(subject, { callback: () => {} })
    for (const subject of ['apikey.revoked', 'auth.keys', 'x']) gateway.publish(subject, 'forged')
    await gateway.flush()
    auth.publish('apikey.revoked', '{}')
    await auth.flush()
    await gateway.flush()
    assert.deepEqual(heard, ['{}'])
    assert.equal((await refused).length, 7)
  } finally {
    await Promise.all([auth.close(), gateway.close()])
  }
})

/** Waits for all seven; if the server refuses fewer, the test runs into its time limit. */
async function refusalsOf(connection: NatsConnection): Promise<string[]> {
  const refused: string[] = []
  for await (const status of connection.status()) {
    if (status.type === 'error') refused.push(status.error.message)
    if (refused.length === 7) break
  }
  return refused
}
