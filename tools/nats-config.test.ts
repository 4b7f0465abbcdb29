import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { startNats } from '@tsmicro/infra'
import { NATS_CONFIG } from './nats-config.ts'

const users = [...readFileSync(NATS_CONFIG, 'utf8').matchAll(/password: \$(\w+)/g)].map(([, variable = '']) => variable)
const PASSWORDS = users.map(variable => `${variable}: "of ${variable}"`).join('\n')

test('a real server runs it, with passwords from outside of it', async t => {
  // Where a name is not set in the configuration, as here, the server looks for it in its environment.
  const directory = await mkdtemp(join(tmpdir(), 'nats-config-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'nats.conf')
  await writeFile(file, `${PASSWORDS}\n${readFileSync(NATS_CONFIG, 'utf8')}`)
  await using server = await startNats({ ephemeral: true, extraArgs: ['-c', file] })
  const servers = new URL(server.url).host
  const nats = await connect({ servers, user: 'blog', pass: 'of BLOG_NATS_PASSWORD' })
  await nats.close()
  await assert.rejects(
    connect({ servers, user: 'blog', pass: 'of AUTH_NATS_PASSWORD', reconnect: false }),
    /[Aa]uthorization/,
  )
})
