import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { AdminAnswer } from './routes.ts'

const SHORTEST_TOKEN = 32

/** Who may ask the admin API: whoever has the token, from a program on this machine. */
export class AdminAccess {
  readonly #wanted: Buffer

  /** Throws a `TypeError` when the token could be guessed. */
  constructor(token: string) {
    if (!/^[\x21-\x7e]*$/.test(token) || token.length < SHORTEST_TOKEN)
      throw new TypeError(`the admin token has to be ${SHORTEST_TOKEN} characters or more, without blanks`)
    this.#wanted = digestOf(`Bearer ${token}`)
  }

  /** Undefined when the request is let in. Nothing else of it has been looked at before. */
  refuse(req: IncomingMessage): AdminAnswer | undefined {
    if (!timingSafeEqual(digestOf(req.headers.authorization ?? ''), this.#wanted)) {
      const message = 'Unauthorized: send authorization: Bearer and the token that the gateway was started with'
      return { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { message } }
    }
    if (!comesFromHere(req))
      return { status: 403, body: { message: 'Forbidden: not from a web page, nor by another name' } }
    return undefined
  }
}

/** A browser would let any web page send a request here: with an Origin, or under a name that leads to this machine. */
function comesFromHere({ headers }: IncomingMessage): boolean {
  const fromPage = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
  return !fromPage && /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(headers.host ?? '')
}

/** Of one length whatever was sent, so that comparing tells nothing of the wanted one. */
function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
