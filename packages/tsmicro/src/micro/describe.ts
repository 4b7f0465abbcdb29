import { type NatsPermissions, natsPermissionsOf } from '../contract/index.ts'
import type { StreamConfig } from '../events/index.ts'
import type { Service } from './service.ts'

/** What a service is, for who writes the configuration of its surroundings. */
interface Description {
  readonly service: string
  readonly permissions: NatsPermissions
  readonly streams: readonly StreamConfig[]
}

/**
 * `tsmicro generate` runs a service's program with this variable: it says what it does on NATS, connects to nothing, and ends.
 * @returns whether that was asked
 */
export function describeInstead({ natsAccess, streams }: Service): boolean {
  if (process.env.TSMICRO_DESCRIBE !== 'true' || process.send === undefined) return false
  const description: Description = {
    service: natsAccess.service,
    permissions: natsPermissionsOf(natsAccess),
    streams,
  }
  process.send(description, () => process.exit(0))
  return true
}
