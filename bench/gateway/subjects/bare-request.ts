import { createServer } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { Pool } from 'undici'
import { openPlain } from '../plain-door.ts'
import type { Subject } from '../subject.ts'

/** The same as `bare` in the way in which undici's documentation comes first: `pool.request`, and a pipeline back. */
export const subject: Subject = {
  open: upstreamPort => {
    const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: null })
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
    return openPlain(server)
  },
}
