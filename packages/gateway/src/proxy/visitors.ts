import type { IncomingMessage } from 'node:http'
import { type HostPattern, hostPattern } from '../routing/host-pattern.ts'
import { type Answer, kongError } from '../server/answer.ts'

const HOST = /^(?:(?:\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])$/

/**
 * The names that a gateway for development answers to, and the pages that may ask it. Any page that a developer visits can send
 * requests to his own machine: across origins, or after its name was rebound to 127.0.0.1, with the key that every tutorial shows.
 */
export class Visitors {
  readonly #names: readonly string[]
  readonly #matches: readonly ((host: string) => boolean)[]

  /** `localhost`, `*.shop.test`, `[::1]` …, without a port. Throws a `TypeError` on what is no host. */
  constructor(names: readonly string[]) {
    const wrong = names.find(name => !HOST.test(name))
    if (wrong !== undefined) throw new TypeError(`hosts: "${wrong}" must look like shop.test, *.shop.test or [::1]`)
    this.#names = names
    this.#matches = names.map(name => nameMatcher(name.toLowerCase()))
  }

  /** An answer for a request that names another host. `configured`: those that routes name, which are meant. */
  refuseHost(host: string, configured: readonly HostPattern[], requestId: string): Answer | undefined {
    // Browsers always send one.
    if (host === '' || this.#knows(host, configured)) return undefined
    const message = `This gateway answers to ${this.#names.join(', ')}, not to ${host}: start it with GATEWAY_HOSTS=${host} if it should`
    return kongError(421, message, requestId)
  }

  /** An answer for a request of a page from elsewhere. */
  refusePage(
    { headers, method }: IncomingMessage,
    configured: readonly HostPattern[],
    requestId: string,
  ): Answer | undefined {
    const { origin } = headers
    if (origin === undefined) {
      if (headers['sec-fetch-site'] !== 'cross-site') return undefined
      // Who follows a link looks at the answer himself.
      const dest = headers['sec-fetch-dest']
      if (method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && dest === 'document') return undefined
    } else if (URL.canParse(origin) && this.#knows(new URL(origin).hostname, configured)) return undefined
    const message =
      'Pages of other origins may not ask here: give the route the cors plugin, or name the host of the page in GATEWAY_HOSTS'
    return kongError(403, message, requestId)
  }

  #knows(host: string, configured: readonly HostPattern[]): boolean {
    return this.#matches.some(matches => matches(host)) || configured.some(({ matches }) => matches(host))
  }
}

/** The hosts of routes that nobody else can have a name below: `shop.*` is also `shop.evil.test`. */
export function ownHosts(hosts: Iterable<string>): HostPattern[] {
  return [...new Set(hosts)].map(hostPattern).filter(({ wildcard }) => wildcard !== 'end')
}

function nameMatcher(name: string): (host: string) => boolean {
  if (!name.startsWith('*')) return host => host === name
  const end = name.slice(1)
  return host => host.endsWith(end)
}
