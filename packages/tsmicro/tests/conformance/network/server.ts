import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { startNats } from '@tsmicro/infra'
import { NatsClient } from 'tsmicro'
import { type NatsPermissions, natsAuthorization } from 'tsmicro/contract'
import { natsStreamsOf } from 'tsmicro/internal'
import type { OpenNetwork } from './network.ts'
import { createStreamsAs, OPERATOR } from './operator.ts'

/** A nats-server of its own. Passwords are `<user>-password`. */
export const openServer: OpenNetwork = async permissions => {
  const extraArgs = permissions ? ['-c', await configuration(permissions)] : []
  const server = await startNats({ ephemeral: true, extraArgs })
  after(() => server.stop())
  const urlOf = (user: string) => (permissions ? server.url.replace('://', `://${user}:${user}-password@`) : server.url)
  return {
    client: (name, options) => new NatsClient({ ...options, url: urlOf(name), name, reconnectWaitMs: 20 }),
    raw(name = 'raw') {
      const credentials = permissions ? { user: name, pass: `${name}-password` } : {}
      return connect({ servers: new URL(server.url).host, reconnectTimeWait: 20, reconnectJitter: 20, ...credentials })
    },
    streams: createStreamsAs(name => new NatsClient({ url: urlOf(name), name })),
    async fail() {
      server.kill('SIGKILL')
    },
    recover: () => server.restart(),
    manyCalls: process.env.CI ? 100_000 : 10_000,
  }
}

async function configuration(permissions: readonly NatsPermissions[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tsmicro-permissions-'))
  after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'nats.conf')
  await writeFile(
    file,
    natsAuthorization([...permissions, natsStreamsOf(OPERATOR)], user => JSON.stringify(`${user}-password`)),
  )
  return file
}
