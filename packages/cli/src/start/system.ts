import { databaseUrl, postgresDatabaseUrl, type Server } from '@tsmicro/infra'
import type { Address, InfraName, System, SystemConfig } from '../config-types.ts'
import { CliError } from '../errors.ts'
import type { NatsUsers } from './secrets.ts'

/**
 * The system as the configuration's functions see it. Reading a missing part throws an error that says why.
 * @param databases receives the names of the PostgreSQL databases that are asked for
 */
export function describeSystem(
  dataDir: string,
  infra: ReadonlyMap<InfraName, Server>,
  services: Readonly<Record<string, Address>>,
  gateway: Address | undefined,
  natsUsers: NatsUsers | undefined,
  databases: Set<string>,
): System {
  const part = (name: InfraName): Address => {
    const server = infra.get(name)
    if (server === undefined)
      throw new CliError(`tsmicro.config.ts uses system.${name}, but its infra does not list it`)
    return { url: server.url }
  }
  const natsAs = (user: string): Address => {
    const { url } = part('nats')
    // A server given by URL has its own users, and the URL names one.
    return { url: infra.get('nats')?.source === 'url' ? url : withUser(url, user, natsUsers) }
  }
  return {
    dataDir,
    services,
    get nats() {
      return natsUsers?.onlyUser === undefined ? part('nats') : natsAs(natsUsers.onlyUser)
    },
    natsAs,
    get postgres() {
      return part('postgres')
    },
    postgresDatabase(name) {
      const url = postgresDatabaseUrl(part('postgres').url, name)
      databases.add(name)
      return { url }
    },
    get documents() {
      return part('documents')
    },
    mongoDatabase: name => ({ url: databaseUrl(part('documents').url, name) }),
    get redis() {
      return infra.has('redis') ? part('redis') : undefined
    },
    get gateway() {
      if (gateway === undefined)
        throw new CliError('tsmicro.config.ts uses system.gateway, but does not describe a gateway')
      return gateway
    },
  }
}

function withUser(url: string, user: string, users: NatsUsers | undefined): string {
  const password = users?.passwords[user]
  if (password === undefined)
    throw new CliError(`tsmicro.config.ts uses natsAs('${user}'), but its nats.users do not name it`)
  return url.replace('://', `://${user}:${password}@`)
}

/** NATS as the user who may ask services about their events. */
export function operatorUrl({ infra, nats }: SystemConfig, system: System): string | undefined {
  if (!infra.includes('nats')) return undefined
  if (nats === undefined) return system.nats.url
  return nats.operator === undefined ? undefined : system.natsAs(nats.operator).url
}
