import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { openPlain } from '../plain-door.ts'
import type { Subject } from '../subject.ts'

/** What is used of it; the package is in bench's own node_modules, which need not be there for a check of types. */
interface HttpProxy3 {
  createProxyServer(options: object): { web(request: IncomingMessage, response: ServerResponse): void }
}

/** http-proxy-3, the maintained form of http-proxy, with kept connections. */
export const subject: Subject = {
  open: upstreamPort => {
    const { createProxyServer }: HttpProxy3 = createRequire(import.meta.url)('http-proxy-3')
    const proxy = createProxyServer({
      target: `http://127.0.0.1:${upstreamPort}`,
      agent: new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY }),
    })
    return openPlain(createServer((request, response) => proxy.web(request, response)))
  },
}
