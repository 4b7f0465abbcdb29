import { type HeaderPattern, headerPattern, pathPattern } from '../routing/patterns.ts'
import { routeId } from '../routing/route-order.ts'
import { isHostName } from './authority.ts'
import { checkName, readCommonFields, readPlugins } from './common-fields.ts'
import type { RouteConfig } from './model.ts'
import { configError, nonEmptyString, Section } from './section.ts'
import { UNSUPPORTED_IN_ROUTE } from './unsupported.ts'

export function readRoute(value: unknown, place: string): RouteConfig {
  const section = new Section(value, place)
  const name = section.optionalString('name')
  if (name !== undefined) checkName(name, section.at('name'))
  const id = readCommonFields(section) ?? (name === undefined ? undefined : routeId(name))
  const route: RouteConfig = {
    name: name ?? place,
    id,
    paths: section.restriction('paths', readPath),
    methods: section.restriction('methods', readMethod),
    hosts: section.restriction('hosts', readHost),
    headers: readHeaders(section),
    protocols: section.restriction('protocols', readProtocol) ?? ['http', 'https'],
    httpsRedirectStatus: readRedirectStatus(section),
    stripPath: section.boolean('strip_path', true),
    preserveHost: section.boolean('preserve_host', false),
    regexPriority: section.number('regex_priority', 0, { min: 0, max: 2 ** 32 - 1, integer: true }),
    plugins: readPlugins(section),
    place,
  }
  section.fixed('path_handling', 'v0')
  section.fixed('request_buffering', false, 'bodies are streamed')
  section.fixed('response_buffering', false, 'bodies are streamed')
  section.finish(UNSUPPORTED_IN_ROUTE)
  if ([route.paths, route.methods, route.hosts, route.headers].every(list => list === undefined)) {
    throw configError(place, 'set at least one of paths, methods, hosts, headers')
  }
  return route
}

function readPath(value: unknown, place: string): string {
  const path = nonEmptyString(value, place)
  pathPattern(path, place)
  return path
}

function readMethod(value: unknown, place: string): string {
  const method = nonEmptyString(value, place)
  if (!/^[A-Z]+$/.test(method)) throw configError(place, 'must be an HTTP method in upper case')
  return method
}

function readHost(value: unknown, place: string): string {
  const [host = '', port, more] = nonEmptyString(value, place).split(':')
  if (more !== undefined || (port !== undefined && !isPort(port)))
    throw configError(place, 'must be a host name, with or without a port from 1 to 65535')
  const stars = host.split('*').length - 1
  if (stars > 1 || (stars === 1 && !host.startsWith('*.') && !host.endsWith('.*'))) {
    throw configError(place, 'may only have a wildcard at one end: *.example.com or example.*')
  }
  if (!isHostName(host.replace('*', 'any'))) throw configError(place, 'is not a host name')
  if (port !== undefined && host.endsWith('*')) throw configError(place, 'cannot have a port after a wildcard')
  if (host !== host.toLowerCase())
    throw configError(
      place,
      'must be in lower case: Kong compares it with the host as sent, and clients send lower case',
    )
  return port === undefined ? host : `${host}:${port}`
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535
}

function readHeaders(route: Section): HeaderPattern[] | undefined {
  if (!route.has('headers')) return undefined
  const section = new Section(route.raw('headers'), route.at('headers'))
  const patterns = section.names().map(name => {
    const place = section.at(name)
    if (!/^[A-Za-z0-9_-]+$/.test(name)) throw configError(place, 'is not a header name')
    if (name.toLowerCase() === 'host') throw configError(place, 'belongs in hosts')
    return headerPattern(name, section.restriction(name, nonEmptyString) ?? [], place)
  })
  if (patterns.length === 0)
    throw configError(section.place, 'must not be empty: leave the field out to match everything')
  return patterns
}

function readRedirectStatus(section: Section): number {
  const status = section.raw('https_redirect_status_code') ?? 426
  if (typeof status === 'number' && [426, 301, 302, 307, 308].includes(status)) return status
  throw configError(section.at('https_redirect_status_code'), 'must be 426, 301, 302, 307 or 308')
}

function readProtocol(value: unknown, place: string): string {
  const protocol = nonEmptyString(value, place)
  if (protocol !== 'http' && protocol !== 'https') throw configError(place, `must be http or https, not "${protocol}"`)
  return protocol
}
