import { parseAuthority } from './authority.ts'
import { checkName, checkPath, readCommonFields, readPlugins } from './common-fields.ts'
import type { ServiceConfig } from './model.ts'
import { readRoute } from './read-route.ts'
import { configError, Section } from './section.ts'
import { UNSUPPORTED_IN_SERVICE } from './unsupported.ts'

const TIMEOUT = { min: 1, max: 2 ** 31 - 2, integer: true }

export function readService(value: unknown, place: string): ServiceConfig {
  const section = new Section(value, place)
  const service: ServiceConfig = {
    name: checkName(section.string('name'), section.at('name')),
    enabled: section.boolean('enabled', true),
    ...readUrl(section),
    connectTimeout: section.number('connect_timeout', 60_000, TIMEOUT),
    writeTimeout: section.number('write_timeout', 60_000, TIMEOUT),
    readTimeout: section.number('read_timeout', 60_000, TIMEOUT),
    retries: section.number('retries', 5, { min: 0, max: 32_767, integer: true }),
    routes: section.namedList('routes', readRoute),
    plugins: readPlugins(section),
  }
  readCommonFields(section)
  section.finish(UNSUPPORTED_IN_SERVICE)
  return service
}

export interface HttpUrl {
  readonly host: string
  readonly port: number
  readonly path: string
}

/** Reads a service's `url`, or its `protocol`, `host`, `port`, `path`. */
function readUrl(section: Section): HttpUrl {
  if (section.has('url')) {
    for (const name of ['protocol', 'host', 'port', 'path']) {
      if (section.has(name)) throw configError(section.at(name), 'must not be combined with url')
    }
    return parseHttpUrl(section.string('url'), section.at('url'))
  }
  section.fixed('protocol', 'http')
  if (!section.has('host')) throw configError(section.place, 'set url or host')
  const host = section.string('host')
  if (/[^A-Za-z0-9._-]/.test(host) || parseAuthority(host) === undefined)
    throw configError(section.at('host'), 'must be a host name or an IPv4 address')
  const path = section.optionalString('path') ?? '/'
  checkPath(path, section.at('path'))
  return { host, port: section.number('port', 80, { min: 1, max: 65_535, integer: true }), path }
}

/** Parses `http://host[:port][/path]`, and nothing else. Throws `GatewayConfigError` with the place. */
export function parseHttpUrl(text: string, place: string): HttpUrl {
  const [, authority = '', path = '/'] = /^http:\/\/([^/]*)(\/.*)?$/.exec(text) ?? []
  const { host, port = 80 } = parseAuthority(authority) ?? {}
  if (host === undefined) throw configError(place, 'must look like http://host:port/path (only http is supported)')
  checkPath(path, place)
  return { host, port, path }
}
