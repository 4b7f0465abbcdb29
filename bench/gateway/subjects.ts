import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { KongRoute } from '@tsmicro/gateway'
import { ROOT } from '../install.ts'
import { type Door, listen, PLAIN, VERIFY_PATH } from './traffic.ts'

/** Starts a proxy in front of the upstream on that port. Each runs in a separate process that loads only its own packages. */
type Open = (upstreamPort: number) => Promise<Door>

// Installed only in bench/node_modules, which a type check must not need.
const require = createRequire(import.meta.url)
interface Fastify {
  register(plugin: unknown, options: object): void
  ready(): Promise<void>
  readonly server: Server
}
interface HttpProxy3 {
  createProxyServer(options: object): { web(request: IncomingMessage, response: ServerResponse): void }
}

/** The compared subjects, in the order of a round. The names appear in the JSON report. */
const OPEN = {
  bare: async port => (await import('./bare.ts')).open(port),

  /** The same, written as undici's documentation first shows it: `pool.request`, and a pipeline back. */
  'bare-request': async port => {
    const { Pool } = await import('undici')
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: null })
    const server = createServer(async (request, response) => {
      try {
        const { host: _host, connection: _connection, ...headers } = request.headers
        const body = request.method === 'GET' || request.method === 'HEAD' ? null : request
        const answer = await pool.request({ path: request.url ?? '/', method: request.method ?? 'GET', headers, body })
        const { connection: _hop, 'keep-alive': _alive, 'transfer-encoding': _coding, ...fields } = answer.headers
        response.writeHead(answer.statusCode, fields)
        await pipeline(answer.body, response)
      } catch {
        if (response.headersSent) response.destroy()
        else response.writeHead(502).end()
      }
    })
    return { port: await listen(server), ...PLAIN }
  },

  /** The embedded gateway with one route and no plugins. */
  gateway: async upstream => {
    const { startGateway } = await import('@tsmicro/gateway')
    const service = { name: 'items', url: `http://127.0.0.1:${upstream}`, routes: [{ paths: ['/'] }] }
    const { port } = await startGateway({ port: 0, config: { _format_version: '3.0', services: [service] } })
    return { port, ...PLAIN }
  },

  'gateway-apikey': port => routed(port, 10),
  'gateway-1000-routes': port => routed(port, 1000),

  /** The platform's own `kong/kong.yml`: its routes, and for each request apikey-auth, strip-prefix and sign-request. */
  'gateway-platform': async upstreamPort => {
    const { startGateway } = await import('@tsmicro/gateway')
    const upstream = `127.0.0.1:${upstreamPort}`
    const { port } = await startGateway({
      port: 0,
      config: fileURLToPath(new URL('kong/kong.yml', ROOT)),
      resolve: { 'auth:8001': upstream, 'blog:8002': upstream },
      env: { GATEWAY_SECRET: 'g'.repeat(64), VERIFY_SECRET: 'v'.repeat(64) },
    })
    const paths = PLAIN.paths.map((_, i) => (i % 2 === 0 ? '/blog/list/latest' : `/blog/id/${i}`))
    return { port, paths, postPath: '/blog/author', headers: PLAIN.headers }
  },

  /** Fastify with @fastify/http-proxy, as its documentation shows it. */
  fastify: async port => {
    const app: Fastify = require('fastify')()
    app.register(require('@fastify/http-proxy'), { upstream: `http://127.0.0.1:${port}` })
    await app.ready()
    return { port: await listen(app.server), ...PLAIN }
  },

  /** The maintained fork of http-proxy, with kept connections. */
  'http-proxy-3': async port => {
    const { createProxyServer }: HttpProxy3 = require('http-proxy-3')
    const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
    const proxy = createProxyServer({ target: `http://127.0.0.1:${port}`, agent })
    return { port: await listen(createServer((request, response) => proxy.web(request, response))), ...PLAIN }
  },
} satisfies Record<string, Open>

export type SubjectName = keyof typeof OPEN
export const SUBJECTS = Object.keys(OPEN) as SubjectName[]

export const openSubject = (name: string, upstreamPort: number): Promise<Door> =>
  OPEN[name as SubjectName](upstreamPort)

/**
 * The gateway with the API-key check and so many routes, half of them prefixes and half regular expressions. Requests go to
 * ten of them, spread over the whole table.
 */
async function routed(upstreamPort: number, routeCount: number): Promise<Door> {
  const { startGateway } = await import('@tsmicro/gateway')
  const url = `http://127.0.0.1:${upstreamPort}`
  const routes = Array.from({ length: routeCount }, (_, i): KongRoute => {
    const path = i % 2 === 0 ? `/r${i}/items` : `~/r${i}/items(?:/[^/]+)?$`
    return { name: `route-${i}`, paths: [path], methods: ['GET', 'POST'], strip_path: false }
  })
  // A long time-out, so that a busy machine delays a run and does not fail it.
  const check = { name: 'apikey-auth', config: { verify_urls: [`${url}${VERIFY_PATH}`], timeout_ms: 20_000 } }
  const { port } = await startGateway({
    port: 0,
    config: { _format_version: '3.0', services: [{ name: 'items', url, routes, plugins: [check] }] },
  })
  const step = (routeCount - 1) / 9
  return { port, ...PLAIN, paths: PLAIN.paths.map((_, i) => `/r${Math.round((i % 10) * step)}/items/${i}`) }
}
