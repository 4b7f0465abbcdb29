import type { IncomingMessage } from 'node:http'
import { type HostPattern, hostMatcher, hostPattern } from '../routing/patterns.ts'
import { type Answer, kongError } from '../server/answer.ts'

const HOST = /^(?:(?:\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/

/**
 * The host names that a gateway for development answers to, and the web pages that may call it. Any page that a developer visits can
 * send requests to their machine, across origins or after its own name was rebound to 127.0.0.1, with the key from the tutorials.
 */
export class AllowedHosts {
  readonly #names: readonly string[]
  readonly #matches: readonly ((host: string) => boolean)[]

  /** `localhost`, `*.shop.test`, `[::1]` …, without a port. Throws a `TypeError` if a name is malformed. */
  constructor(names: readonly string[]) {
    const wrong = names.find(name => !HOST.test(name))
    if (wrong !== undefined) throw new TypeError(`hosts: "${wrong}" must look like shop.test, *.shop.test or [::1]`)
    this.#names = names
    this.#matches = names.map(name => hostMatcher(name.toLowerCase()))
  }

  /** Returns an answer if a request names another host. `configured`: the hosts of routes, which are allowed too. */
  refuseHost(host: string, configured: readonly HostPattern[]): Answer | undefined {
    // Without a Host, the request does not come from a browser.
    if (host === '' || this.#allows(host, configured)) return undefined
    const message = `This gateway answers to ${this.#names.join(', ')}, not to ${host}: start it with GATEWAY_HOSTS=${host} if it should`
    return kongError(421, message)
  }

  /** Returns an answer if a request comes from a page of another host. */
  refusePage({ headers, method }: IncomingMessage, configured: readonly HostPattern[]): Answer | undefined {
    const { origin } = headers
    if (origin === undefined) {
      if (headers['sec-fetch-site'] !== 'cross-site') return undefined
      // Somebody followed a link: the page that it is on does not see the answer.
      const dest = headers['sec-fetch-dest']
      if (method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && dest === 'document') return undefined
    } else if (URL.canParse(origin) && this.#allows(new URL(origin).hostname, configured)) return undefined
    const message =
      'Pages of other origins are not allowed: give the route the cors plugin, or add the host of the page to GATEWAY_HOSTS'
    return kongError(403, message)
  }

  #allows(host: string, configured: readonly HostPattern[]): boolean {
    return this.#matches.some(matches => matches(host)) || configured.some(({ matches }) => matches(host))
  }
}

/** The hosts of routes, without those below which others can have a name: `shop.*` also matches `shop.evil.test`. */
export function ownHosts(hosts: Iterable<string>): HostPattern[] {
  return [...new Set(hosts)].map(hostPattern).filter(({ wildcard }) => wildcard !== 'end')
}
