import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, isPortFree, reservePort } from '@tsmicro/infra'
import type { Address, GatewayConfig, ServiceConfig } from '../config-types.ts'
import { CliError } from '../errors.ts'

/** One process of a service, before it runs. */
export interface InstancePlan {
  /** `auth`, or `auth-1` if there are several. */
  readonly name: string
  readonly serviceName: string
  readonly service: ServiceConfig
  readonly port: number
  readonly url: string
  /** Its `HOST:PORT` in `kong.yml`: `auth:8001`, or `auth-1:8001` if there are several. */
  readonly target: string
}

/** Where the gateway listens, and what it runs. */
export interface GatewayPlan {
  readonly gateway: GatewayConfig
  /** The `kong.yml`. */
  readonly config: string
  readonly port: number
  /** Undefined = no admin API. */
  readonly adminPort: number | undefined
}

/** Where the explorer listens. */
export interface ExplorerPlan {
  readonly port: number
  /** What its page has to know. */
  readonly token: string
  /** The paths of the modules with the system's contracts. */
  readonly contracts: readonly string[]
  /** For people, with the token. */
  readonly url: string
}

const EXPLORER_PORT = 8100

/** Chooses the explorer's port, if there is something to explore. */
export async function planExplorer(contracts: readonly string[], isOn: boolean): Promise<ExplorerPlan | undefined> {
  if (!isOn || contracts.length === 0) return undefined
  const port = await instancePort(EXPLORER_PORT)
  const token = randomBytes(32).toString('base64url')
  return { port, token, contracts, url: `http://127.0.0.1:${port}/#token=${token}` }
}

export function instanceNames(service: string, replicas: number): string[] {
  return replicas === 1 ? [service] : Array.from({ length: replicas }, (_, index) => `${service}-${index + 1}`)
}

/** Chooses the name and port of every instance. The first instance of a service gets the service's own port if possible. */
export async function planInstances(
  services: Readonly<Record<string, ServiceConfig>>,
  replicas: number,
): Promise<InstancePlan[]> {
  const plans: InstancePlan[] = []
  for (const [serviceName, service] of Object.entries(services)) {
    const hosts = instanceNames(service.host ?? serviceName, replicas)
    for (const [index, name] of instanceNames(serviceName, replicas).entries()) {
      const port = await instancePort(index === 0 ? service.port : undefined)
      const target = `${hosts[index]}:${service.port}`
      plans.push({ name, serviceName, service, port, url: `http://127.0.0.1:${port}`, target })
    }
  }
  return plans
}

/** The address of each service's first instance. */
export function firstAddresses(plans: readonly InstancePlan[]): Record<string, Address> {
  return Object.fromEntries([...plans].reverse().map(({ serviceName, url }) => [serviceName, { url }]))
}

/** Chooses the gateway's ports and its `kong.yml`. @throws CliError if the port is taken, or if nothing balances the replicas */
export async function planGateway(
  gateway: GatewayConfig,
  wantedPort: number,
  replicas: number,
  hasAdmin: boolean,
): Promise<GatewayPlan> {
  const config = replicas === 1 ? gateway.config : gateway.loadBalancedConfig
  if (config === undefined)
    throw new CliError('--replicas needs gateway.loadBalancedConfig in tsmicro.config.ts: a kong.yml with upstreams')
  const port = await gatewayPort(wantedPort)
  return { gateway, config, port, adminPort: hasAdmin ? await instancePort(undefined) : undefined }
}

/**
 * The gateway's port, or a free one for 0. It is never replaced by another port, as it is the one that people type. Waits a moment
 * for the gateway of a supervisor that has just been killed.
 */
async function gatewayPort(wanted: number): Promise<number> {
  if (wanted === 0) return freePort()
  for (let attempt = 1; !(await isPortFree(wanted)); attempt++) {
    if (attempt === 20)
      throw new CliError(
        `port ${wanted} is taken: choose another for the gateway, e.g. GATEWAY_PORT=${wanted + 80} npm start`,
      )
    await sleep(50)
  }
  return wanted
}

/** A port for an instance: the wanted one unless another program uses it or is about to, else any free one. */
export async function instancePort(wanted: number | undefined): Promise<number> {
  return wanted !== undefined && (await reservePort(wanted)) ? wanted : freePort()
}
