import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { startNats } from '@tsmicro/infra'
import { NATS_CONFIG, NATS_PERMISSIONS, NATS_STREAMS, natsFiles } from './nats-config.ts'

test('deploy/nats is in step with what the services do', () => {
  const { config, permissions, streams } = natsFiles()
  assert.equal(readFileSync(NATS_CONFIG, 'utf8'), config, 'npm run nats:config rewrites it')
  assert.equal(readFileSync(NATS_STREAMS, 'utf8'), streams, 'npm run nats:config rewrites it')
  assert.equal(readFileSync(NATS_PERMISSIONS, 'utf8'), permissions, 'npm run nats:config rewrites it')
})

const PASSWORDS = ['AUTH: one', 'BLOG: two', 'OPERATOR: three', 'STREAMS: four', 'OBSERVER: five']
  .map(each => each.replace(':', '_NATS_PASSWORD:'))
  .join('\n')

test('a real server runs it, with passwords from outside of it', async t => {
  // Where a name is not set in the configuration, as here, the server looks for it in its environment.
  const directory = await mkdtemp(join(tmpdir(), 'nats-config-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'nats.conf')
  await writeFile(file, `${PASSWORDS}\n${readFileSync(NATS_CONFIG, 'utf8')}`)
  await using server = await startNats({ ephemeral: true, extraArgs: ['-c', file] })
  const servers = new URL(server.url).host
  const nats = await connect({ servers, user: 'blog', pass: 'two' })
  await nats.close()
  await assert.rejects(connect({ servers, user: 'blog', pass: 'one', reconnect: false }), /[Aa]uthorization/)
})
