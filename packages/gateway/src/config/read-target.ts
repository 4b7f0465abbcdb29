import { configError } from './config-error.ts'
import type { Section } from './section.ts'

export interface Target {
  readonly host: string
  readonly port: number
  readonly path: string
}

/** A service's `url`, or its `protocol`, `host`, `port`, `path`. */
export function readTarget(section: Section): Target {
  if (section.has('url')) {
    for (const name of ['protocol', 'host', 'port', 'path']) {
      if (section.has(name)) throw configError(section.at(name), 'must not stand beside url')
    }
    return parseHttpUrl(section.string('url'), section.at('url'))
  }
  const protocol = section.optionalString('protocol') ?? 'http'
  if (protocol !== 'http') throw configError(section.at('protocol'), `only http is supported, not "${protocol}"`)
  if (!section.has('host')) throw configError(section.place, 'set url or host')
  const host = section.string('host')
  if (!/^[A-Za-z0-9._-]+$/.test(host) || !isHost(host))
    throw configError(section.at('host'), 'must be a host name or an IPv4 address')
  const path = section.optionalString('path') ?? '/'
  checkPath(path, section.at('path'))
  return { host, port: section.number('port', 80, { min: 1, max: 65_535, integer: true }), path }
}

/** `http://host[:port][/path]`, nothing else. Throws `GatewayConfigError` with the place. */
export function parseHttpUrl(text: string, place: string): Target {
  const parts = /^http:\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(\/.*)?$/.exec(text)
  const [, host, port = '80', path = '/'] = parts ?? []
  if (host === undefined || !isHost(host) || Number(port) < 1 || Number(port) > 65_535) {
    throw configError(place, 'must look like http://host:port/path (only http is supported)')
  }
  checkPath(path, place)
  return { host, port: Number(port), path }
}

/** What looks like an address must be one: nobody could connect to `10.0.0.256`. */
export function isHost(host: string): boolean {
  return URL.canParse(`http://${host}`)
}

function checkPath(path: string, place: string): void {
  if (!/^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/.test(path))
    throw configError(place, 'the path must start with / and hold no query')
  if (path.includes('//')) throw configError(place, 'the path must not hold //')
}
