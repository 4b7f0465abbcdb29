import { isIP } from 'node:net'
import { readCommonFields } from './common-fields.ts'
import { configError } from './config-error.ts'
import type { TargetConfig, UpstreamConfig } from './model.ts'
import { readHealthChecks } from './read-health-checks.ts'
import { isHost } from './read-target.ts'
import { Section } from './section.ts'
import { UNSUPPORTED_IN_TARGET, UNSUPPORTED_IN_UPSTREAM } from './unsupported.ts'

const HOST = /^[A-Za-z0-9._-]+$/
const HOST_HEADER = /^[A-Za-z0-9._-]+(?::\d{1,5})?$/

/** `upstreams`, each with its `targets`, and the `targets` beside them that name their upstream. */
export function readUpstreams(root: Section): UpstreamConfig[] {
  const upstreams = new Map<string, UpstreamConfig & { targets: TargetConfig[] }>()
  root.list('upstreams', (value, place) => {
    const upstream = readUpstream(value, place)
    if (upstreams.has(upstream.name)) throw configError(place, `the name "${upstream.name}" is used twice`)
    upstreams.set(upstream.name, upstream)
  })
  root.list('targets', (value, place) => {
    const section = new Section(value, place)
    const name = section.string('upstream')
    const targets = upstreams.get(name)?.targets
    if (targets === undefined) throw configError(section.at('upstream'), `there is no upstream "${name}"`)
    add(targets, readTarget(section))
  })
  return [...upstreams.values()]
}

function readUpstream(value: unknown, place: string) {
  const section = new Section(value, place)
  const name = section.string('name')
  if (!HOST.test(name)) throw configError(section.at('name'), 'must look like a host name')
  if (isIP(name) !== 0) throw configError(section.at('name'), 'must be a name, not an address')
  const algorithm = section.optionalString('algorithm') ?? 'round-robin'
  if (algorithm !== 'round-robin')
    throw configError(section.at('algorithm'), `only round-robin is supported, not "${algorithm}"`)
  const targets: TargetConfig[] = []
  section.list('targets', (item, at) => add(targets, readTarget(new Section(item, at))))
  const checks = readHealthChecks(section)
  for (const field of ['hash_on', 'hash_fallback']) section.fixed(field, 'none', 'it goes round the targets by weight')
  section.fixed('use_srv_name', false, 'names are resolved by each connection')
  // How finely Kong's ring is divided by the weights; here they are kept to exactly.
  section.number('slots', 10_000, { min: 10, max: 65_536, integer: true })
  const hostHeader = section.optionalString('host_header')
  if (hostHeader !== undefined && !HOST_HEADER.test(hostHeader))
    throw configError(section.at('host_header'), 'must be a host name, with or without a port')
  readCommonFields(section)
  section.finish(UNSUPPORTED_IN_UPSTREAM)
  return { name, hostHeader, targets, ...checks }
}

function readTarget(section: Section): TargetConfig {
  const text = section.string('target')
  // 8000 is what Kong takes for a target without a port.
  const [, host = '', port = '8000'] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? []
  if (host === '' || !isHost(host) || Number(port) < 1 || Number(port) > 65_535)
    throw configError(section.at('target'), 'must look like host:port')
  const weight = section.number('weight', 100, { min: 0, max: 65_535, integer: true })
  readCommonFields(section)
  section.finish(UNSUPPORTED_IN_TARGET)
  return { host, port: Number(port), weight, place: section.place }
}

function add(targets: TargetConfig[], target: TargetConfig): void {
  if (targets.some(({ host, port }) => host === target.host && port === target.port))
    throw configError(target.place, `the target ${target.host}:${target.port} is there twice`)
  targets.push(target)
}
