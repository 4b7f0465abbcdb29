import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Served extends AsyncDisposable {
  readonly authority: string
}

/** Starts a real server on a free port, which keeps connections open for a minute and accepts any number of header fields. */
export async function serve(listener: RequestListener): Promise<Served> {
  const server = createServer(listener)
  server.maxHeadersCount = 0
  server.keepAliveTimeout = 60_000
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close().closeAllConnections()
    },
  }
}
