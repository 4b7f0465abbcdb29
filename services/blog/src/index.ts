export { Env, loadEnv } from './env.ts'
export { createBlogService } from './startup/module.ts'
