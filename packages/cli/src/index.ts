export { defineSystem } from './config/define.ts'
export type {
  Address,
  GatewayConfig,
  InfraName,
  NatsConfig,
  ServiceConfig,
  System,
  SystemConfig,
} from './config/types.ts'
export { CliError } from './errors.ts'
