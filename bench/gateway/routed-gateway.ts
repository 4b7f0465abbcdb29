import { type KongRoute, startGateway } from '@tsmicro/gateway'
import { PLAIN } from './plain-door.ts'
import type { Door } from './subject.ts'
import { VERIFY_PATH } from './traffic.ts'

/**
 * The gateway with the API-key check and so many routes, half of them prefixes and half regular expressions. Requests go to
 * ten of them, spread over the whole table.
 */
export async function openRouted(upstreamPort: number, routeCount: number): Promise<Door> {
  const url = `http://127.0.0.1:${upstreamPort}`
  const routes = Array.from({ length: routeCount }, (_, i): KongRoute => {
    const path = i % 2 === 0 ? `/r${i}/items` : `~/r${i}/items(?:/[^/]+)?$`
    return { name: `route-${i}`, paths: [path], methods: ['GET', 'POST'], strip_path: false }
  })
  // Patient, so that a machine busy with other work delays a run and does not end it.
  const check = { name: 'apikey-auth', config: { verify_urls: [`${url}${VERIFY_PATH}`], timeout_ms: 20_000 } }
  const { port } = await startGateway({
    port: 0,
    config: { _format_version: '3.0', services: [{ name: 'items', url, routes, plugins: [check] }] },
  })
  const step = (routeCount - 1) / 9
  const number = (i: number) => Math.round((i % 10) * step)
  return { port, ...PLAIN, paths: Array.from({ length: 100 }, (_, i) => `/r${number(i)}/items/${i}`) }
}
