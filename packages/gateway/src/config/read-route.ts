import { pathPattern } from '../routing/path-pattern.ts'
import { configError } from './config-error.ts'
import type { RouteConfig } from './model.ts'
import { readPlugins } from './read-plugin.ts'
import { nonEmptyString, Section } from './section.ts'

export function readRoute(value: unknown, place: string): RouteConfig {
  const section = new Section(value, place)
  const route: RouteConfig = {
    name: section.optionalString('name') ?? place,
    paths: section.restriction('paths', readPath),
    methods: section.restriction('methods', readMethod),
    hosts: section.restriction('hosts', readHost),
    protocols: section.restriction('protocols', readProtocol) ?? ['http', 'https'],
    stripPath: section.boolean('strip_path', true),
    preserveHost: section.boolean('preserve_host', false),
    regexPriority: section.number('regex_priority', 0, { min: 0, max: 2 ** 32 - 1, integer: true }),
    plugins: readPlugins(section),
    place,
  }
  const handling = section.raw('path_handling') ?? 'v0'
  if (handling !== 'v0') throw configError(section.at('path_handling'), 'only v0 (the default) is supported')
  section.list('tags', nonEmptyString)
  section.finish()
  if (route.paths === undefined && route.methods === undefined && route.hosts === undefined) {
    throw configError(place, 'set at least one of paths, methods, hosts')
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
  const host = nonEmptyString(value, place)
  if (host.includes(':')) throw configError(place, 'must be a host name without a port')
  const stars = host.split('*').length - 1
  if (stars > 1 || (stars === 1 && !host.startsWith('*.') && !host.endsWith('.*'))) {
    throw configError(place, 'a wildcard stands alone at one end: *.example.com or example.*')
  }
  if (!/^[A-Za-z0-9._*-]+$/.test(host)) throw configError(place, 'is not a host name')
  return host.toLowerCase()
}

function readProtocol(value: unknown, place: string): string {
  const protocol = nonEmptyString(value, place)
  if (protocol !== 'http' && protocol !== 'https') throw configError(place, `must be http or https, not "${protocol}"`)
  return protocol
}
