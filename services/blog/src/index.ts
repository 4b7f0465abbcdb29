export { type Env, EnvSchema, loadEnv } from './config/env.ts'
export type { Parts } from './startup/module.ts'
export { createBlogService } from './startup/server.ts'
