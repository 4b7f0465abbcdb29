import { configError } from '../../config/config-error.ts'
import type { Section } from '../../config/section.ts'
import { type Answer, kongError } from '../../server/answer.ts'
import type { HeaderList } from '../../server/header-list.ts'
import type { AccessPlugin, AccessRequest, PluginKind } from '../plugin.ts'
import { Counters, type Limits } from './counters.ts'
import { readLimits } from './limits.ts'
import { type Report, report } from './report.ts'
import { readSender, type SenderOf } from './sender.ts'

/** Senders that one plugin keeps count of: some 25 MB at most. Kong has 12 MB for all its plugins. */
const MAX_SENDERS = 65_536

const ELSEWHERE = { redis: 'it counts in its own memory', sync_rate: 'it counts in its own memory' }

/**
 * Lets so many requests pass in a period, and answers the others 429. Each entry of the config counts for itself, and goes on
 * counting over a reload. Config:
 * - `second`, `minute`, `hour`, `day`, `month`, `year`: at least one of them; by the calendar, in UTC
 * - `limit_by` (consumer): consumer, credential, ip, service, header (with `header_name`) or path (with `path`)
 * - `policy` (local): no other; `fault_tolerant` (true): nothing can fail here, so both are the same
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
  readonly hiddenHeaders = []
  readonly #limits: Limits
  readonly #senderOf: SenderOf
  readonly #hidden: boolean
  readonly #status: number
  readonly #message: string
  readonly #reports = new WeakMap<AccessRequest, Report['fields']>()
  #counters = new Counters(MAX_SENDERS)

  constructor(config: Section) {
    const policy = config.optionalString('policy') ?? 'local'
    if (policy !== 'local') throw configError(config.at('policy'), `only local is supported, not "${policy}"`)
    this.#limits = readLimits(config)
    this.#senderOf = readSender(config)
    this.#hidden = config.boolean('hide_client_headers', false)
    this.#status = config.number('error_code', 429, { min: 400, max: 599, integer: true })
    this.#message = config.optionalString('error_message') ?? 'API rate limit exceeded'
    config.boolean('fault_tolerant', true)
    config.finish(ELSEWHERE)
  }

  access(request: AccessRequest): Answer | undefined {
    const now = Date.now()
    const taken = this.#counters.take(this.#senderOf(request), this.#limits, now)
    if (!this.#hidden) {
      const { fields, reset } = report(taken, now)
      this.#reports.set(request, taken.exceeded ? [...fields, ['Retry-After', String(reset)]] : fields)
    }
    return taken.exceeded ? kongError(this.#status, this.#message, request.gatewayRequestId) : undefined
  }

  respond(request: AccessRequest, headers: HeaderList): void {
    for (const [name, value] of this.#reports.get(request) ?? []) headers.set(name, value)
  }

  inherit(predecessor: AccessPlugin): void {
    // Shared and not copied: requests of before the reload are still being counted.
    if (predecessor instanceof RateLimiting) this.#counters = predecessor.#counters
  }

  async close(): Promise<void> {}
}
