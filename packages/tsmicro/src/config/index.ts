export { describeConfig, envExample } from './describe.ts'
export { type Config, ConfigError, loadConfig } from './load.ts'
export { gatewayDoor, serviceEnv } from './service-env.ts'
export { secret } from './variable.ts'
