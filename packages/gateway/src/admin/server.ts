import { createServer } from 'node:http'
import type { Upstream } from '../balancing/upstream.ts'
import type { ConfigText } from '../config/load.ts'
import { listen } from '../server/http-server.ts'
import type { GatewayLog } from '../server/log.ts'
import { type AdminAnswer, answerAdmin } from './routes.ts'

export interface AdminOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** Those of the config in use. */
  readonly upstreams: () => ReadonlyMap<string, Upstream>
  /** Loads a config in place of the one in use. */
  readonly load: (config: ConfigText) => Promise<void>
  readonly log: GatewayLog
}

export interface Admin {
  readonly url: string
  close(): Promise<void>
}

/** The part of Kong's Admin API that DB-less operation needs, for this machine alone. Throws when the port cannot be had. */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const server = createServer({ keepAliveTimeout: 1000 }, async (req, res) => {
    const send = ({ status, body }: AdminAnswer) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      // Whatever of the request was not read would be taken for the next one.
      if (!req.complete) res.shouldKeepAlive = false
      res.writeHead(status, text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }).end(text)
    }
    try {
      send(await answerAdmin(req, options))
    } catch (error) {
      options.log.error({ err: error instanceof Error ? error.stack : String(error) }, 'admin request failed')
      send({ status: 500, body: { message: 'An unexpected error occurred' } })
    }
  })
  const port = await listen(server, options.port, '127.0.0.1')
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>(done => server.close(() => done()))
    },
  }
}
