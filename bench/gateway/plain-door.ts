import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Door } from './subject.ts'
import { KEY } from './traffic.ts'

/** For proxies that take any path. Gets the same fields as the others. */
export const PLAIN = {
  paths: Array.from({ length: 100 }, (_, i) => `/r${i % 10}/items/${i}`),
  postPath: '/r0/items',
  headers: { 'x-api-key': KEY },
} as const

/** Listens on a free port. */
export async function openPlain(server: Server): Promise<Door> {
  // Longer than any pause between two measurements, as every other proxy here has it.
  server.keepAliveTimeout = 75_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, ...PLAIN }
}
