import { broadcast } from './broadcast.ts'
import { calls } from './calls.ts'
import { delivery } from './delivery.ts'
import { discovery } from './discovery.ts'
import { draining } from './draining.ts'
import { events } from './events.ts'
import { hops } from './hops.ts'
import { hostile } from './hostile.ts'
import { loss } from './loss.ts'
import type { OpenNetwork } from './network/network.ts'
import { permissions } from './permissions.ts'
import { platform } from './platform.ts'
import { wire } from './wire.ts'

/** What holds of every transport: each suite opens networks of its own and declares its tests. */
export const SUITES: Readonly<Record<string, (open: OpenNetwork) => Promise<void>>> = {
  delivery,
  calls,
  wire,
  hops,
  events,
  broadcast,
  discovery,
  draining,
  loss,
  permissions,
  hostile,
  platform,
}
