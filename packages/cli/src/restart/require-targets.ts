import { CliError } from '../errors.ts'
import type { InstancePlan } from '../start/instances.ts'
import type { GatewayAdmin } from './gateway-admin.ts'

/** Makes sure that the gateway knows every instance: one that it does not know would be idle without a word. @throws CliError */
export async function requireTargets(
  admin: GatewayAdmin,
  instances: readonly Pick<InstancePlan, 'target'>[],
  configFile: string,
): Promise<void> {
  const known = new Set([...(await admin.targets()).values()].flatMap(targets => [...targets.keys()]))
  const unknown = instances.map(({ target }) => target).filter(target => !known.has(target))
  if (unknown.length > 0)
    throw new CliError(
      `${configFile} has no target ${unknown.join(', ')}: add it to the upstreams, or ask for fewer replicas`,
    )
}
