export { GatewayConfigError } from './config/config-error.ts'
export type { KongConfig, KongPlugin, KongRoute, KongService } from './config/kong-config.ts'
export { type Gateway, type GatewayOptions, startGateway } from './gateway.ts'
export type { GatewayLog } from './server/log.ts'
