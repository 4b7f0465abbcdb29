import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { startNats } from '@tsmicro/infra'
import { natsAuthorization, natsPermissionsOf } from 'tsmicro/contract'

test('nobody gets in without credentials, or with wrong ones', async () => {
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
