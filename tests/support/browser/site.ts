import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'

/** A web application's server: its page and program, and the platform under `/api`, all on one origin. */
interface Site extends AsyncDisposable {
  readonly url: string
  /** Resolves to the next report of the page's program. */
  nextReport(): Promise<unknown>
  /** Cuts all connections. */
  cut(): void
  /** Resolves when the browser has given up a request that was held without an answer. */
  readonly givenUp: Promise<void>
}

/** Without `unsafe-eval`: a page need not allow checks to be compiled to code. */
const POLICY = "default-src 'self'; connect-src 'self' http://127.0.0.1:*"
const PAGE = '<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="program.js"></script>'

interface SiteOptions {
  /** The page's address, for browsers. */
  readonly program: string
  /** The configuration that the page requests. */
  readonly setting: object
  readonly platformUrl: string
  /** Sent with requests that have none: a browser's `EventSource` sends no headers of the page's choice. */
  readonly apiKey?: string
}

export async function openSite({ program, setting, platformUrl, apiKey }: SiteOptions): Promise<Site> {
  const reports = new TransformStream<unknown, unknown>({}, { highWaterMark: 100 })
  const [reported, reader] = [reports.writable.getWriter(), reports.readable.getReader()]
  const givenUp = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const server = createServer((incoming, outgoing) => {
    const path = new URL(incoming.url ?? '/', 'http://site').pathname
    if (path.startsWith('/api/') && incoming.headers['x-hold']) {
      outgoing.once('close', givenUp.resolve)
      held.resolve()
    } else if (path.startsWith('/api/')) forward(incoming, outgoing, platformUrl, apiKey)
    else if (path === '/setting') outgoing.end(JSON.stringify(setting))
    else if (path === '/held') held.promise.then(() => outgoing.end())
    else if (path === '/report') textOf(incoming).then(text => outgoing.end(() => reported.write(JSON.parse(text))))
    else if (path === '/app/program.js') outgoing.setHeader('content-type', 'text/javascript').end(program)
    else if (path === '/app/') {
      const headers = { 'content-type': 'text/html', 'content-security-policy': POLICY }
      outgoing.writeHead(200, headers).end(PAGE)
    } else outgoing.writeHead(404).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    nextReport: async () => (await reader.read()).value,
    cut: () => server.closeAllConnections(),
    givenUp: givenUp.promise,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, platformUrl: string, apiKey?: string): void {
  const target = platformUrl + (incoming.url ?? '').slice('/api'.length)
  const { method } = incoming
  const key = apiKey === undefined ? {} : { 'x-api-key': apiKey }
  const headers = { ...key, ...incoming.headers, host: new URL(platformUrl).host }
  const sent = request(target, { method, headers }, answer => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    pipeline(answer, outgoing, () => {})
  })
  sent.once('error', () => outgoing.destroy())
  outgoing.once('close', () => sent.destroy())
  incoming.pipe(sent)
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of incoming.setEncoding('utf8')) text += chunk
  return text
}
