import { type ClientRequest, type IncomingMessage, request as plain, type ServerResponse } from 'node:http'
import { request as secure } from 'node:https'
import { pipeline } from 'node:stream'
import { TOKEN_HEADER } from './access.ts'

/** Where the requests to a service go. */
export interface Target {
  /** Without a trailing slash: `http://127.0.0.1:8000/blog` behind a gateway. */
  readonly url: string
  /** Whether the service itself is asked, without a gateway before it. */
  readonly isDirect: boolean
}

/** What concerns the explorer alone, or the connection to it. */
const NOT_SENT =
  /^(host|connection|keep-alive|upgrade|te|trailer|expect|cookie|origin|referer|accept-encoding|sec-.*|proxy-.*)$/

/**
 * Passes a request on, and its answer back. The answer's status and headers travel in the header `x-answer` and its body as bytes of no type:
 * the browser neither follows its redirects, nor keeps its cookies, nor shows anything of it as a page of the explorer's origin.
 */
export function passOn(incoming: IncomingMessage, outgoing: ServerResponse, target: Target, path: string): void {
  const { origin, pathname, protocol } = new URL(target.url)
  const sent: ClientRequest = (protocol === 'https:' ? secure : plain)(origin, {
    method: incoming.method,
    path: `${pathname === '/' ? '' : pathname}${path}`,
    headers: headersFor(incoming, target),
  })
  sent.once('response', answer => {
    const { statusCode = 502, statusMessage, rawHeaders } = answer
    const headers = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1]]] : []))
    const told = Buffer.from(JSON.stringify({ status: statusCode, statusMessage, headers })).toString('base64url')
    outgoing.writeHead(200, { 'content-type': 'application/octet-stream', 'x-answer': told })
    // A stream's first item may be long in coming.
    outgoing.flushHeaders()
    pipeline(answer, outgoing, () => {})
  })
  sent.on('error', error => {
    if (outgoing.headersSent) return outgoing.destroy()
    // The unread rest of the request would be taken for the next one.
    outgoing.shouldKeepAlive = false
    outgoing.writeHead(502).end(`${origin} did not answer: ${error.message}`)
  })
  outgoing.once('close', () => sent.destroy())
  // Not a pipeline, which would close the connection that the failure is written to.
  incoming.pipe(sent)
}

function headersFor({ headers }: IncomingMessage, { isDirect }: Target) {
  const passed = Object.entries(headers).filter(([name]) => name !== TOKEN_HEADER && !NOT_SENT.test(name))
  // A service treats what has this as from outside: its internal procedures stay closed.
  return { ...Object.fromEntries(passed), ...(isDirect ? { 'x-forwarded-for': '127.0.0.1' } : {}) }
}
