import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as the upstream saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  /** Name and value, in their order, names as they came. */
  readonly headers: readonly (readonly [string, string])[]
}

export interface Upstream extends AsyncDisposable {
  readonly authority: string
  /** What it saw of a request, by its `x-case`. */
  readonly seen: ReadonlyMap<string, Seen>
}

/** Remembers every request by its `x-case`, tells `onRequest` of it and answers 200. */
export async function startUpstream(onRequest: (id: string, seen: Seen) => void = () => {}): Promise<Upstream> {
  const seen = new Map<string, Seen>()
  const server = createServer((req, res) => {
    const { method = '', url = '', rawHeaders } = req
    const headers = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : []))
    const id = String(req.headers['x-case'])
    const request = { method, url, headers }
    seen.set(id, request)
    onRequest(id, request)
    req.resume().on('end', () => res.writeHead(200, { 'content-length': 2 }).end('ok'))
  })
  server.maxHeadersCount = 0
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.close().closeAllConnections()
    },
  }
}
