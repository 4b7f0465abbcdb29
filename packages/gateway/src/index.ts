export type {
  KongConfig,
  KongHealthChecks,
  KongPlugin,
  KongRoute,
  KongService,
  KongTarget,
} from './config/kong-config.ts'
export { GatewayConfigError } from './config/section.ts'
export { type Gateway, type GatewayOptions, startGateway } from './gateway.ts'
