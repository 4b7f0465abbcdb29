import { configError } from './config-error.ts'
import type { ActiveChecks, HealthChecks, Thresholds } from './model.ts'
import { Section } from './section.ts'
import { UNSUPPORTED_IN_CHECKS } from './unsupported.ts'

/** Kong's defaults: thresholds and intervals of 0, that is, no checks. */
const ACTIVE = { healthy: [200, 302], unhealthy: [429, 404, 500, 501, 502, 503, 504, 505] }
const PASSIVE = {
  healthy: [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308],
  unhealthy: [429, 500, 503],
}
const COUNT = { min: 0, max: 255, integer: true }
const SECONDS = { min: 0, max: 65_535, integer: false }

/** The `healthchecks` of an upstream. */
export function readHealthChecks(upstream: Section): HealthChecks {
  const section = child(upstream, 'healthchecks')
  const threshold = section.number('threshold', 0, { min: 0, max: 100, integer: false })
  const active = readActive(child(section, 'active'))
  const passive = readPassive(child(section, 'passive'))
  section.finish()
  return { threshold, active, passive }
}

function readActive(section: Section): ActiveChecks {
  requireHttp(section)
  const path = section.optionalString('http_path') ?? '/'
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw configError(section.at('http_path'), 'must start with / and hold no space')
  if (/\?|\/\//.test(path)) throw configError(section.at('http_path'), 'must hold no query and no //')
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

function readPassive(section: Section): Thresholds {
  requireHttp(section)
  const thresholds = readThresholds(child(section, 'healthy'), child(section, 'unhealthy'), PASSIVE)
  section.finish()
  return thresholds
}

function readThresholds(
  healthy: Section,
  unhealthy: Section,
  defaults: { readonly healthy: readonly number[]; readonly unhealthy: readonly number[] },
): Thresholds {
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

function requireHttp(section: Section): void {
  const type = section.optionalString('type') ?? 'http'
  if (type !== 'http') throw configError(section.at('type'), `only http is supported, not "${type}"`)
}

function child(section: Section, name: string): Section {
  return new Section(section.raw(name) ?? {}, section.at(name))
}
