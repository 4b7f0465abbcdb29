import type { Server } from '@tsmicro/infra'
import type { Address, InfraName, System } from '../config/types.ts'
import { CliError } from '../errors.ts'

/** What the configuration's functions see. A part that is not there throws when it is read, and says why. */
export function describeSystem(
  dataDir: string,
  infra: ReadonlyMap<InfraName, Server>,
  services: Readonly<Record<string, Address>>,
  gateway: Address | undefined,
): System {
  const part = (name: InfraName): Address => {
    const server = infra.get(name)
    if (server === undefined)
      throw new CliError(`tsmicro.config.ts uses system.${name}, but its infra does not list it`)
    return { url: server.url }
  }
  return {
    dataDir,
    services,
    get nats() {
      return part('nats')
    },
    get postgres() {
      return part('postgres')
    },
    get documents() {
      return part('documents')
    },
    get gateway() {
      if (gateway === undefined) throw new CliError('tsmicro.config.ts uses system.gateway, but describes none')
      return gateway
    },
  }
}
