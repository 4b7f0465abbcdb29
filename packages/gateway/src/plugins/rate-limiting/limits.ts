import { configError } from '../../config/config-error.ts'
import type { Section } from '../../config/section.ts'
import type { Limits } from './counters.ts'
import { PERIODS, type Period } from './windows.ts'

/** Reads `second` to `year`. Throws `GatewayConfigError`, also when a longer period allows less than a shorter one. */
export function readLimits(config: Section): Limits {
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
