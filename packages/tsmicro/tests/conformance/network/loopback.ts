import { createLoopback } from 'tsmicro/testing'
import type { OpenNetwork } from './network.ts'

export const openLoopback: OpenNetwork = async permissions => {
  const loopback = createLoopback(permissions ? { permissions } : {})
  return {
    client: loopback.client,
    raw: (name = 'raw') => loopback.connect({ name }),
    streams: async () => {},
    fail: () => loopback.disconnect(),
    recover: () => loopback.reconnect(),
    manyCalls: process.env.CI ? 20_000 : 2000,
  }
}
