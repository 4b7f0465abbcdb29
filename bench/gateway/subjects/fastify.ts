import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import { openPlain } from '../plain-door.ts'
import type { Subject } from '../subject.ts'

/** What is used of it; the package is in bench's own node_modules, which need not be there for a check of types. */
interface Fastify {
  register(plugin: unknown, options: object): void
  ready(): Promise<void>
  readonly server: Server
}

/** Fastify with @fastify/http-proxy, as its documentation has it. */
export const subject: Subject = {
  open: async upstreamPort => {
    const require = createRequire(import.meta.url)
    const app: Fastify = require('fastify')()
    app.register(require('@fastify/http-proxy'), { upstream: `http://127.0.0.1:${upstreamPort}` })
    await app.ready()
    return openPlain(app.server)
  },
}
