export { EnvSchema, loadEnv } from './config/env.ts'

export { createBlogService } from './startup/server.ts'
