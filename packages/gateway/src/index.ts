export { GatewayConfigError } from './config/config-error.ts'
export type {
  KongConfig,
  KongEntity,
  KongHealthChecks,
  KongHealthy,
  KongPlugin,
  KongRoute,
  KongService,
  KongTarget,
  KongUnhealthy,
  KongUpstream,
} from './config/kong-config.ts'
export { type Gateway, type GatewayOptions, startGateway } from './gateway.ts'
export type { GatewayLog } from './server/log.ts'
