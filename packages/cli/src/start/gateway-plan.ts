import type { GatewayConfig } from '../config/types.ts'
import { CliError } from '../errors.ts'
import { gatewayPort, instancePort } from './ports.ts'
import type { GatewayPlan } from './workers.ts'

/** Chooses the gateway's ports and its `kong.yml`. @throws CliError when the port is taken, or nothing balances the replicas */
export async function planGateway(gateway: GatewayConfig, wantedPort: number, replicas: number): Promise<GatewayPlan> {
  const { loadBalancedConfig } = gateway
  if (replicas === 1)
    return { gateway, config: gateway.config, port: await gatewayPort(wantedPort), adminPort: undefined }
  if (loadBalancedConfig === undefined)
    throw new CliError('--replicas needs gateway.loadBalancedConfig in tsmicro.config.ts: a kong.yml with upstreams')
  return {
    gateway,
    config: loadBalancedConfig,
    port: await gatewayPort(wantedPort),
    adminPort: await instancePort(undefined),
  }
}
