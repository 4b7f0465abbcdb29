import { natsStreamsOf } from 'tsmicro/internal'
import { createLoopback } from 'tsmicro/testing'
import type { OpenNetwork } from './network.ts'
import { createStreamsAs, OPERATOR } from './operator.ts'

export const openLoopback: OpenNetwork = async permissions => {
  const loopback = createLoopback(permissions ? { permissions: [...permissions, natsStreamsOf(OPERATOR)] } : {})
  return {
    client: loopback.client,
    raw: (name = 'raw') => loopback.connect({ name }),
    streams: createStreamsAs(loopback.client),
    fail: () => loopback.disconnect(),
    recover: () => loopback.reconnect(),
    manyCalls: process.env.CI ? 20_000 : 2000,
  }
}
