import type { SystemConfig } from '../config-types.ts'
import type { Log } from '../output/log.ts'
import type { Restart } from '../restart/control.ts'
import type { GatewayAdmin } from '../restart/gateway-admin.ts'
import type { Instance } from '../restart/one-by-one.ts'
import type { RunningSystem } from '../supervise/running-system.ts'
import type { Worker } from '../supervise/worker.ts'
import type { GatewayPlan, InstancePlan } from './plan.ts'

/** A system that is about to start. */
export interface StartingSystem {
  readonly config: SystemConfig
  readonly root: string
  /** The absolute path of the data folder. */
  readonly dataDir: string
  readonly log: Log
  readonly livenessMs: number
  /** Aborted when everything stops. */
  readonly signal: AbortSignal
}

/** A system that runs. */
export interface StartedSystem {
  readonly running: RunningSystem
  readonly instances: readonly Instance[]
  /** Makes another process of a service, which is not started yet. */
  readonly makeWorker: (plan: InstancePlan) => Worker
  readonly gateway: { readonly plan: GatewayPlan; readonly worker: Worker } | undefined
  readonly admin: GatewayAdmin | undefined
}

/** What `tsmicro dev` does differently from `tsmicro start`. */
export interface Development {
  /** Gives services addresses that outlast their processes. Called before these start. */
  place(plans: readonly InstancePlan[]): Promise<readonly InstancePlan[]>
  /** Called when everything is ready. @returns what `tsmicro restart` does */
  follow(system: StartedSystem): Restart
}
