import { Env as BlogEnv } from '@blog-platform/blog-service/env'
import { defineSystem as define } from '@tsmicro/cli'

/** @public */
export const Env = BlogEnv
/** @public */
export const defineSystem = define
/** @public */
export const entry = 'packages/gateway/src/main.ts'
/** @public */
export const config = 'kong/kong.yml'
