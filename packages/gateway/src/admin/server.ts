import { createServer, type RequestListener } from 'node:http'
import type { Upstream } from '../balancing/upstream.ts'
import type { ConfigText } from '../config/load.ts'
import { listen } from '../server/http-server.ts'
import type { GatewayLog } from '../server/log.ts'
import { AdminAccess } from './access.ts'
import { type AdminAnswer, answerAdmin } from './routes.ts'

export interface AdminOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** What every request has to bring. */
  readonly token: string
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

/**
 * The part of Kong's Admin API that DB-less operation needs, for whoever has the token. Throws when the port cannot be had, and a
 * `TypeError` for a token that is too short.
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const access = new AdminAccess(options.token)
  const serve: RequestListener = async (req, res) => {
    const send = ({ status, body, headers }: AdminAnswer) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      // Whatever of the request was not read would be taken for the next one.
      if (!req.complete) res.shouldKeepAlive = false
      const type = text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }
      res.writeHead(status, { ...type, ...headers }).end(text)
    }
    try {
      const refusal = access.refuse(req)
      if (refusal === undefined && req.headers.expect !== undefined) res.writeContinue()
      send(refusal ?? (await answerAdmin(req, options)))
    } catch (error) {
      options.log.error({ err: error instanceof Error ? error.stack : String(error) }, 'admin request failed')
      if (res.headersSent) res.destroy()
      else send({ status: 500, body: { message: 'An unexpected error occurred' } })
    }
  }
  // Or whoever waits for 100 Continue would be told to go on before his token was looked at.
  const server = createServer({ keepAliveTimeout: 1000 }, serve).on('checkContinue', serve)
  const port = await listen(server, options.port, '127.0.0.1')
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>(done => server.close(() => done()))
    },
  }
}
