import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/* The traffic through every proxy. */

/** The answer to every request of the load `get`, about 200 bytes. */
export const SMALL_ANSWER = JSON.stringify({
  statusCode: '10000',
  message: 'success',
  data: { id: 'c1f7a9b2', title: 'Compilers, then and now', author: 'Grace Hopper', tags: ['history', 'compilers'] },
  at: '2026-01-01T12:00:00.000Z',
})

export const POST_BYTES = 10 * 1024
export const POST_BODY = JSON.stringify({ text: 'x'.repeat(POST_BYTES - 11) })

/** The answer to a `POST`: how many bytes arrived. */
export const receipt = (bytes: number) => JSON.stringify({ received: bytes })

/** A header that requests an answer of this many bytes. */
export const SIZE_FIELD = 'x-answer-bytes'

/** The path of the API-key check; the answer accepts every key. */
export const VERIFY_PATH = '/verify/apikey'
export const VERDICT = JSON.stringify({ valid: true, id: 'bench', permissions: ['READ', 'WRITE'] })

/** Where a proxy listens, and which requests it accepts. Sent between processes. */
export interface Door {
  readonly port: number
  /** Paths for `GET`, requested in turn. */
  readonly paths: readonly string[]
  readonly postPath: string
  readonly headers: Readonly<Record<string, string>>
}

/** For proxies that take any path. */
export const PLAIN = {
  paths: Array.from({ length: 100 }, (_, i) => `/r${i % 10}/items/${i}`),
  postPath: '/r0/items',
  headers: { 'x-api-key': 'bench-key-0123456789abcdef' },
} as const

/** Makes a server listen on a free port. */
export async function listen(server: Server): Promise<number> {
  // Longer than any pause between two measurements: no connection may be closed for being idle.
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
