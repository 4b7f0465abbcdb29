import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Meter } from '../../common/meter.ts'
import { requestOf, verify } from '../payload.ts'
import type { Call } from '../subject.ts'

export interface HttpDoor {
  readonly port: number
  readonly close: () => void
}

/** An HTTP server that makes one call for each request, `GET /<sequence>`. Resolves when it listens. */
export async function openHttpDoor(call: Call, meter: Meter): Promise<HttpDoor> {
  const server = createServer(async (request, response) => {
    try {
      const sequence = Number(request.url?.slice(1))
      const answer = await call(requestOf(sequence))
      verify(sequence, answer)
      meter.count()
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answer))
    } catch (error) {
      response.statusCode = 500
      response.end(String(error))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, close }
}
