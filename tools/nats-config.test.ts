import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connect } from '@nats-io/transport-node'
import { startNats } from '@tsmicro/infra'
import { NATS_CONFIG, natsConfig } from './nats-config.ts'

test('deploy/nats/nats.conf is in step with the contracts', () => {
  assert.equal(readFileSync(NATS_CONFIG, 'utf8'), natsConfig(), 'npm run nats:config writes it anew')
})

test('a real server runs it, with the passwords of its environment', async () => {
  process.env.AUTH_NATS_PASSWORD = 'one'
  process.env.BLOG_NATS_PASSWORD = 'two'
  await using server = await startNats({ ephemeral: true, extraArgs: ['-c', fileURLToPath(NATS_CONFIG)] })
  const servers = new URL(server.url).host
  const nats = await connect({ servers, user: 'blog', pass: 'two' })
  await nats.close()
  await assert.rejects(connect({ servers, user: 'blog', pass: 'one', reconnect: false }), /[Aa]uthorization/)
})
