import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { startNats } from '@tsmicro/infra'
import { createStreams, NatsClient } from 'tsmicro'
import { type NatsPermissions, natsAuthorization } from 'tsmicro/contract'
import { natsStreamsOf, streamsOf } from 'tsmicro/internal'
import { RecordedLog } from '../../support/log.ts'
import type { OpenNetwork } from './network.ts'

const OPERATOR = 'operator'

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
    async streams(service, publishes, handles = {}) {
      const operator = new NatsClient({ url: urlOf(OPERATOR), name: OPERATOR })
      await operator.connect()
      await createStreams(operator, streamsOf({ service, serves: publishes, handles }), new RecordedLog())
      await operator.close()
    },
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
