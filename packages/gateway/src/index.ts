export { GatewayConfigError } from './config/config-error.ts'
export type {
  KongConfig,
  KongHealthChecks,
  KongPlugin,
  KongRoute,
  KongService,
  KongTarget,
} from './config/kong-config.ts'
export { type Gateway, type GatewayOptions, startGateway } from './gateway.ts'
