import { setTimeout as sleep } from 'node:timers/promises'
import { CliError } from '../errors.ts'
import type { InstancePlan } from '../start/instances.ts'
import type { Worker } from '../supervise/worker.ts'
import type { GatewayAdmin } from './gateway-admin.ts'

/** A process of a service. */
export type Instance = Pick<InstancePlan, 'name' | 'serviceName' | 'target'> & { readonly worker: Worker }

const GRACE_MS = 30_000
const POLL_MS = 100

/** Those of a service or the one of that name; all when it is undefined. @throws CliError when there is none */
export function chooseInstances(instances: readonly Instance[], wanted: string | undefined): readonly Instance[] {
  if (wanted === undefined) return instances
  const chosen = instances.filter(({ name, serviceName }) => name === wanted || serviceName === wanted)
  if (chosen.length > 0) return chosen
  const names = new Set(instances.flatMap(({ name, serviceName }) => [serviceName, name]))
  throw new CliError(`there is no service "${wanted}", only ${[...names].join(', ')}`)
}

export interface ReplaceOptions {
  /** Undefined = no load balancing: whoever asks an instance meanwhile is refused. */
  readonly admin: GatewayAdmin | undefined
  readonly say: (text: string) => void
  /** Aborted when everything stops. */
  readonly signal: AbortSignal
  /** Longest wait for the others to be healthy, in milliseconds. */
  readonly readyTimeoutMs: number
}

/**
 * Replaces instances one after the other; the next one's turn comes when the new one is ready. When one does not get ready
 * the rest is left alone. @throws CliError
 */
export async function replaceOneByOne(instances: readonly Instance[], options: ReplaceOptions): Promise<void> {
  for (const instance of instances) {
    if (options.signal.aborted) throw new CliError('everything is being stopped')
    await replace(instance, options)
  }
}

async function replace({ name, target, worker }: Instance, options: ReplaceOptions): Promise<void> {
  const { admin, say } = options
  const upstreams = admin ? await untilOthersAreHealthy(target, admin, options) : []
  if (upstreams.length === 0) say(`${name} is the only one: requests to it fail until it is back`)
  // First nothing new comes, then it ends: a kept connection that it closes could not tell a request from none.
  for (const upstream of upstreams) await admin?.mark(upstream, target, 'unhealthy')
  say(`${name} finishes what it has`)
  await worker.replace(GRACE_MS)
  // It said itself that it is ready; an active check would find the same a moment later.
  for (const upstream of upstreams) await admin?.mark(upstream, target, 'healthy')
  say(`${name} is replaced`)
}

/** The upstreams that have the target, when in each of them somebody else can take its requests. */
async function untilOthersAreHealthy(
  target: string,
  admin: GatewayAdmin,
  { signal, readyTimeoutMs }: ReplaceOptions,
): Promise<readonly string[]> {
  const deadline = Date.now() + readyTimeoutMs
  for (;;) {
    const concerned = [...(await admin.targets())].filter(([, targets]) => targets.has(target))
    const others = concerned.flatMap(([, targets]) => [...targets].filter(([name]) => name !== target))
    const sick = others.filter(([, health]) => health === 'UNHEALTHY').map(([name]) => name)
    if (sick.length === 0) return concerned.map(([upstream]) => upstream)
    if (signal.aborted) throw new CliError('everything is being stopped')
    if (Date.now() > deadline) throw new CliError(`${sick.join(', ')} is not healthy: ${target} is left alone`)
    await sleep(POLL_MS)
  }
}
