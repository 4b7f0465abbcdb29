import { isIP } from 'node:net'
import { isHostName, parseAuthority } from './authority.ts'
import { checkPath, readCommonFields } from './common-fields.ts'
import type { ActiveChecksConfig, HealthChecks, TargetConfig, Thresholds, UpstreamConfig } from './model.ts'
import { configError, Section } from './section.ts'
import { UNSUPPORTED_IN_CHECKS, UNSUPPORTED_IN_TARGET, UNSUPPORTED_IN_UPSTREAM } from './unsupported.ts'

const HOST_HEADER = /^[A-Za-z0-9._-]+(?::\d{1,5})?$/

/** Reads `upstreams`, each with its `targets`, and the top-level `targets`, which name their upstream. */
export function readUpstreams(root: Section): UpstreamConfig[] {
  const upstreams = root.namedList('upstreams', readUpstream)
  root.list('targets', (value, place) => {
    const section = new Section(value, place)
    const name = section.string('upstream')
    const targets = upstreams.find(upstream => upstream.name === name)?.targets
    if (targets === undefined) throw configError(section.at('upstream'), `there is no upstream "${name}"`)
    add(targets, readTarget(section))
  })
  return upstreams
}

function readUpstream(value: unknown, place: string) {
  const section = new Section(value, place)
  const name = section.string('name')
  if (!isHostName(name)) throw configError(section.at('name'), 'must look like a host name')
  if (isIP(name) !== 0) throw configError(section.at('name'), 'must be a name, not an address')
  section.fixed('algorithm', 'round-robin')
  const targets: TargetConfig[] = []
  section.list('targets', (item, at) => add(targets, readTarget(new Section(item, at))))
  const checks = readHealthChecks(section)
  for (const field of ['hash_on', 'hash_fallback']) section.fixed(field, 'none', 'requests are distributed by weight')
  section.fixed('use_srv_name', false, 'each connection resolves its name')
  // How finely Kong's ring is divided by the weights. Here the weights are exact.
  section.number('slots', 10_000, { min: 10, max: 65_536, integer: true })
  const hostHeader = section.optionalString('host_header')
  if (hostHeader !== undefined && !HOST_HEADER.test(hostHeader))
    throw configError(section.at('host_header'), 'must be a host name, with or without a port')
  readCommonFields(section)
  section.finish(UNSUPPORTED_IN_UPSTREAM)
  return { name, hostHeader, targets, ...checks }
}

function readTarget(section: Section): TargetConfig {
  // 8000 is Kong's default for a target without a port.
  const { host, port = 8000 } = parseAuthority(section.string('target')) ?? {}
  if (host === undefined) throw configError(section.at('target'), 'must look like host:port')
  const weight = section.number('weight', 100, { min: 0, max: 65_535, integer: true })
  readCommonFields(section)
  section.finish(UNSUPPORTED_IN_TARGET)
  return { host, port, weight, place: section.place }
}

function add(targets: TargetConfig[], target: TargetConfig): void {
  if (targets.some(({ host, port }) => host === target.host && port === target.port))
    throw configError(target.place, `the target ${target.host}:${target.port} is listed twice`)
  targets.push(target)
}

/** Kong's default statuses. Thresholds and intervals are 0 by default, so there are no checks. */
const ACTIVE = { healthy: [200, 302], unhealthy: [429, 404, 500, 501, 502, 503, 504, 505] }
const PASSIVE = {
  healthy: [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308],
  unhealthy: [429, 500, 503],
}
const COUNT = { min: 0, max: 255, integer: true }
const SECONDS = { min: 0, max: 65_535, integer: false }

/** Reads the `healthchecks` of an upstream. */
function readHealthChecks(upstream: Section): HealthChecks {
  const section = child(upstream, 'healthchecks')
  const threshold = section.number('threshold', 0, { min: 0, max: 100, integer: false })
  const active = readActive(child(section, 'active'))
  const passiveSection = child(section, 'passive')
  passiveSection.fixed('type', 'http')
  const passive = readThresholds(child(passiveSection, 'healthy'), child(passiveSection, 'unhealthy'), PASSIVE)
  passiveSection.finish()
  section.finish()
  return { threshold, active, passive }
}

function readActive(section: Section): ActiveChecksConfig {
  section.fixed('type', 'http')
  const path = section.optionalString('http_path') ?? '/'
  checkPath(path, section.at('http_path'))
  const timeout = section.number('timeout', 1, { ...SECONDS, min: 0.001 })
  const healthy = child(section, 'healthy')
  const unhealthy = child(section, 'unhealthy')
  const intervals = {
    healthyIntervalMs: healthy.number('interval', 0, SECONDS) * 1000,
    unhealthyIntervalMs: unhealthy.number('interval', 0, SECONDS) * 1000,
  }
  const thresholds = readThresholds(healthy, unhealthy, ACTIVE)
  section.finish(UNSUPPORTED_IN_CHECKS)
  return { path, timeoutMs: timeout * 1000, ...intervals, thresholds }
}

function readThresholds(healthy: Section, unhealthy: Section, defaults: typeof ACTIVE): Thresholds {
  const thresholds = {
    healthyStatuses: readStatuses(healthy, defaults.healthy),
    unhealthyStatuses: readStatuses(unhealthy, defaults.unhealthy),
    success: healthy.number('successes', 0, COUNT),
    httpFailure: unhealthy.number('http_failures', 0, COUNT),
    tcpFailure: unhealthy.number('tcp_failures', 0, COUNT),
    timeout: unhealthy.number('timeouts', 0, COUNT),
  }
  healthy.finish()
  unhealthy.finish()
  return thresholds
}

function readStatuses(section: Section, defaults: readonly number[]): ReadonlySet<number> {
  const statuses = section.list('http_statuses', (value, place) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 100 || value > 999)
      throw configError(place, 'must be a status from 100 to 999')
    return value
  })
  return new Set(statuses ?? defaults)
}

function child(section: Section, name: string): Section {
  return new Section(section.raw(name) ?? {}, section.at(name))
}
