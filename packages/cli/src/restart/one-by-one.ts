import { setTimeout as sleep } from 'node:timers/promises'
import { CliError } from '../errors.ts'
import type { InstancePlan } from '../start/plan.ts'
import type { Worker } from '../supervise/worker.ts'
import type { GatewayAdmin } from './gateway-admin.ts'

/** A running process of a service. */
export type Instance = Pick<InstancePlan, 'name' | 'serviceName' | 'target'> & { readonly worker: Worker }

const GRACE_MS = 30_000
const POLL_MS = 100

/** The instances of a service, or the instance of that name, or all if it is undefined. @throws CliError if there is none */
export function chooseInstances(instances: readonly Instance[], wanted: string | undefined): readonly Instance[] {
  if (wanted === undefined) return instances
  const chosen = instances.filter(({ name, serviceName }) => name === wanted || serviceName === wanted)
  if (chosen.length > 0) return chosen
  const names = new Set(instances.flatMap(({ name, serviceName }) => [serviceName, name]))
  throw new CliError(`there is no service "${wanted}", only ${[...names].join(', ')}`)
}

export interface ReplaceOptions {
  /** Undefined = no load balancing: requests to an instance are refused while it is replaced. */
  readonly admin: GatewayAdmin | undefined
  readonly say: (text: string) => void
  /** Aborted when everything stops. */
  readonly signal: AbortSignal
  /** How long to wait until the other instances are healthy, in milliseconds. */
  readonly readyTimeoutMs: number
}

/** Replaces instances one after the other, each once the previous one is ready. @throws CliError if one does not get ready; the rest stay */
export async function replaceOneByOne(instances: readonly Instance[], options: ReplaceOptions): Promise<void> {
  for (const instance of instances) {
    if (options.signal.aborted) throw new CliError('everything is being stopped')
    await replace(instance, options)
  }
}

async function replace({ name, target, worker }: Instance, options: ReplaceOptions): Promise<void> {
  const { admin, say } = options
  const upstreams = admin ? await untilOthersAreHealthy(target, admin, options) : []
  if (upstreams.length === 0) say(`${name} is the only instance: requests to it fail until it is back`)
  // New requests stop first. Otherwise a request could meet a kept connection that the instance is just closing.
  for (const upstream of upstreams) await admin?.mark(upstream, target, 'unhealthy')
  say(`${name} finishes its requests`)
  await worker.replace(GRACE_MS)
  // It has reported that it is ready. An active check would find the same a moment later.
  for (const upstream of upstreams) await admin?.mark(upstream, target, 'healthy')
  say(`${name} is replaced`)
}

/** Waits until another instance can take the target's requests in all of its upstreams, and returns these upstreams. */
async function untilOthersAreHealthy(
  target: string,
  admin: GatewayAdmin,
  { signal, readyTimeoutMs }: ReplaceOptions,
): Promise<readonly string[]> {
  const deadline = Date.now() + readyTimeoutMs
  for (;;) {
    const concerned = [...(await admin.targets())].filter(([, targets]) => targets.has(target))
    const others = concerned.flatMap(([, targets]) => [...targets].filter(([name]) => name !== target))
    const unhealthy = others.filter(([, health]) => health === 'UNHEALTHY').map(([name]) => name)
    if (unhealthy.length === 0) return concerned.map(([upstream]) => upstream)
    if (signal.aborted) throw new CliError('everything is being stopped')
    if (Date.now() > deadline) throw new CliError(`${unhealthy.join(', ')} is not healthy: ${target} is not replaced`)
    await sleep(POLL_MS)
  }
}
