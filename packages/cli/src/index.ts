export { databaseUrl } from '@tsmicro/infra'
export { defineSystem } from './config/define.ts'
export type { System, SystemConfig } from './config/types.ts'
export { keptSecret } from './data/secret.ts'
