export { databaseUrl } from '@tsmicro/infra'
export { defineSystem } from './config/define.ts'
export type {
  Address,
  CommandConfig,
  GatewayConfig,
  InfraName,
  NatsConfig,
  OptionalInfraName,
  ServiceConfig,
  System,
  SystemConfig,
} from './config/types.ts'
export { keptSecret } from './data/secret.ts'
export { CliError } from './errors.ts'
