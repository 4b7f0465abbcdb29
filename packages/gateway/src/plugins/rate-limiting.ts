import { hash } from 'node:crypto'
import { configError, type Section } from '../config/section.ts'
import { type Answer, kongError } from '../server/answer.ts'
import type { HeaderList } from '../server/header-fields.ts'
import type { AccessPlugin, AccessRequest, PluginKind } from './plugin.ts'
import { Counters, LENGTHS, type Limits, PERIODS, type Period, type Taken } from './request-counters.ts'

/** How many senders a plugin counts at the same time, about 25 MB at most. Kong has 12 MB for all of its plugins. */
const MAX_SENDERS = 65_536

const UNSUPPORTED = { redis: 'it counts in its own memory', sync_rate: 'it counts in its own memory' }

/**
 * Limits the requests per period, and answers 429 to the rest. Each entry of the config has its own counters, which survive a
 * reload. Config:
 * - `second`, `minute`, `hour`, `day`, `month`, `year`: at least one of them; periods follow the calendar, in UTC
 * - `limit_by` (consumer): consumer, credential, ip, service, header (with `header_name`) or path (with `path`)
 * - `policy` (local): the only one; `fault_tolerant` (true): without effect, as nothing can fail here
 * - `hide_client_headers` (false)
 * - `error_code` (429), `error_message` (API rate limit exceeded)
 */
export const rateLimiting: PluginKind = {
  name: 'rate-limiting',
  priority: 910,
  perEntry: true,
  configure: config => new RateLimiting(config),
}

class RateLimiting implements AccessPlugin {
  readonly #limits: Limits
  readonly #senderOf: SenderOf
  readonly #hidden: boolean
  readonly #status: number
  readonly #message: string
  readonly #reports = new WeakMap<AccessRequest, Report['fields']>()
  #counters = new Counters(MAX_SENDERS)

  constructor(config: Section) {
    config.fixed('policy', 'local')
    this.#limits = readLimits(config)
    this.#senderOf = readSender(config)
    this.#hidden = config.boolean('hide_client_headers', false)
    this.#status = config.number('error_code', 429, { min: 400, max: 599, integer: true })
    this.#message = config.optionalString('error_message') ?? 'API rate limit exceeded'
    config.boolean('fault_tolerant', true)
    config.finish(UNSUPPORTED)
  }

  access(request: AccessRequest): Answer | undefined {
    const now = Date.now()
    const taken = this.#counters.take(this.#senderOf(request), this.#limits, now)
    if (!this.#hidden) {
      const { fields, reset } = report(taken, now)
      this.#reports.set(request, taken.exceeded ? [...fields, ['Retry-After', String(reset)]] : fields)
    }
    return taken.exceeded ? kongError(this.#status, this.#message) : undefined
  }

  respond(request: AccessRequest, headers: HeaderList): void {
    for (const [name, value] of this.#reports.get(request) ?? []) headers.set(name, value)
  }

  inherit(predecessor: AccessPlugin): void {
    // Shared, not copied: requests from before the reload are still being counted.
    if (predecessor instanceof RateLimiting) this.#counters = predecessor.#counters
  }
}

/** Reads `second` to `year`. Throws `GatewayConfigError`, also if a longer period allows less than a shorter one. */
function readLimits(config: Section): Limits {
  const limits = new Map<Period, number>()
  let shorter: Period | undefined
  for (const period of PERIODS) {
    const limit = config.raw(period)
    if (limit === undefined) continue
    if (typeof limit !== 'number' || !(limit > 0)) throw configError(config.at(period), 'must be a number above 0')
    if (shorter !== undefined && limit < (limits.get(shorter) ?? 0))
      throw configError(config.at(period), `cannot be lower than the limit for a ${shorter}`)
    limits.set(period, limit)
    shorter = period
  }
  if (limits.size === 0) throw configError(config.place, `set at least one of ${PERIODS.join(', ')}`)
  return limits
}

/** Identifies the sender of a request for counting. */
type SenderOf = (request: AccessRequest) => string

const LIMIT_BY = ['consumer', 'credential', 'ip', 'service', 'header', 'path'] as const
/** Clients choose their header values; longer ones are stored as a hash. */
const MAX_LENGTH = 64

/**
 * Reads `limit_by` with `header_name` and `path`. Requests without the chosen attribute are counted by their address. So are
 * consumers and credentials, which no plugin of this gateway determines. Throws `GatewayConfigError`.
 */
function readSender(config: Section): SenderOf {
  const limitBy = config.oneOf('limit_by', LIMIT_BY, 'consumer')
  const header = config.optionalString('header_name')
  const path = config.optionalString('path')
  if (header !== undefined && !/^[A-Za-z0-9_-]+$/.test(header))
    throw configError(config.at('header_name'), 'is not a header name')
  if (path !== undefined && !path.startsWith('/')) throw configError(config.at('path'), 'must start with /')
  if (limitBy === 'header') return byHeader(config.string('header_name').toLowerCase())
  if (limitBy === 'path') return byPath(config.string('path'))
  if (limitBy === 'service') return request => `service ${request.service}`
  return request => request.clientAddress
}

function byHeader(name: string): SenderOf {
  return request => {
    const [value] = request.headerValues(name)
    if (value === undefined) return request.clientAddress
    return `header ${value.length > MAX_LENGTH ? hash('sha256', value, 'base64url') : value}`
  }
}

function byPath(path: string): SenderOf {
  return request => (request.path === path ? path : request.clientAddress)
}

interface Report {
  /** Name and value. */
  readonly fields: readonly (readonly [string, string])[]
  /** Seconds until the tightest limit is reset. */
  readonly reset: number
}

/** Kong's header fields: those of every period, and `RateLimit-*` of the one with the least left (of equal ones, the longer). */
export function report({ usages }: Taken, now: number): Report {
  const fields: [string, string][] = []
  let tightest = usages[0]
  for (const usage of usages) {
    const name = usage.period.charAt(0).toUpperCase() + usage.period.slice(1)
    fields.push([`X-RateLimit-Limit-${name}`, String(usage.limit)])
    fields.push([`X-RateLimit-Remaining-${name}`, String(usage.remaining)])
    if (tightest === undefined || usage.remaining < tightest.remaining) tightest = usage
    else if (usage.remaining === tightest.remaining && LENGTHS[usage.period] > LENGTHS[tightest.period])
      tightest = usage
  }
  if (tightest === undefined) return { fields, reset: 1 }
  const reset = Math.max(1, LENGTHS[tightest.period] - Math.floor((now - tightest.start) / 1000))
  fields.push(['RateLimit-Limit', String(tightest.limit)])
  fields.push(['RateLimit-Remaining', String(tightest.remaining)])
  fields.push(['RateLimit-Reset', String(reset)])
  return { fields, reset }
}
