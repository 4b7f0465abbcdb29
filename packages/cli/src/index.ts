export { databaseUrl } from '@tsmicro/infra'
export { defineSystem } from './config.ts'
export type { System, SystemConfig } from './config-types.ts'
export { keptSecret } from './start/secrets.ts'
