import { startGateway } from '@tsmicro/gateway'
import { PLAIN } from '../plain-door.ts'
import type { Subject } from '../subject.ts'

/** The embedded gateway with one route and no plugins: forwarding fields, time-outs, retries, balancing and all. */
export const subject: Subject = {
  open: async upstreamPort => {
    const service = { name: 'items', url: `http://127.0.0.1:${upstreamPort}`, routes: [{ paths: ['/'] }] }
    const { port } = await startGateway({ port: 0, config: { _format_version: '3.0', services: [service] } })
    return { port, ...PLAIN }
  },
}
