import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Every request but those for the page itself carries the token in this header. `authorization` is for users of the services. */
export const TOKEN_HEADER = 'x-explorer-token'
const SHORTEST_TOKEN = 32

/** Admits the explorer's own page, opened with the token, and nobody else. */
export class ExplorerAccess {
  readonly #wanted: Buffer
  readonly #hosts: ReadonlySet<string>

  /** Throws a `TypeError` if the token could be guessed, or cannot be sent in a header. */
  constructor(token: string, port: number) {
    if (!/^[\x21-\x7e]*$/.test(token) || token.length < SHORTEST_TOKEN)
      throw new TypeError(`the explorer's token has to be ${SHORTEST_TOKEN} characters or more, without spaces`)
    this.#wanted = digestOf(token)
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`])
  }

  /** Whether a request is for this server under its own name, and not from another page: a name may resolve to this machine. */
  comesFromHere({ headers }: IncomingMessage): boolean {
    const { host = '', origin, 'sec-fetch-site': site = 'none' } = headers
    if (!this.#hosts.has(host)) return false
    return (origin === undefined || origin === `http://${host}`) && (site === 'none' || site === 'same-origin')
  }

  /** Whether somebody may navigate to the page: also by a link in another page. It holds nothing that is secret. */
  mayOpen({ headers, method }: IncomingMessage): boolean {
    return this.#hosts.has(headers.host ?? '') && (method === 'GET' || method === 'HEAD')
  }

  hasToken({ headers }: IncomingMessage): boolean {
    const given = headers[TOKEN_HEADER]
    return typeof given === 'string' && timingSafeEqual(digestOf(given), this.#wanted)
  }
}

/** Hashes have the same length, so comparing them reveals nothing about the expected one. */
const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer')
