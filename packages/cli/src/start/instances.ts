import type { Address, ServiceConfig } from '../config/types.ts'
import { instancePort } from './ports.ts'

/** One process of a service, before it runs. */
export interface InstancePlan {
  /** `auth`, or `auth-1` where there are several. */
  readonly name: string
  readonly serviceName: string
  readonly service: ServiceConfig
  readonly port: number
  readonly url: string
  /** `HOST:PORT` by which `kong.yml` knows it: `auth:8001`, or `auth-1:8001` where there are several. */
  readonly target: string
}

export function instanceNames(service: string, replicas: number): string[] {
  return replicas === 1 ? [service] : Array.from({ length: replicas }, (_, index) => `${service}-${index + 1}`)
}

/** Gives every instance its name and port; the first of a service gets the service's own port if it can. */
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

/** Of each service the address of its first instance. */
export function firstAddresses(plans: readonly InstancePlan[]): Record<string, Address> {
  return Object.fromEntries([...plans].reverse().map(({ serviceName, url }) => [serviceName, { url }]))
}
