export { Env } from '@blog-platform/auth-service/env'
export { defineSystem } from '@tsmicro/cli'

export const [entry, config] = ['packages/gateway/src/main.ts', 'kong/kong.yml']
