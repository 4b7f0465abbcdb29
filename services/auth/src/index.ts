export { Env, loadEnv } from './config/env.ts'
export type { Parts } from './startup/module.ts'
export { DEMO_ADMIN, DEMO_API_KEY } from './startup/seed.ts'
export { createAuthService } from './startup/server.ts'
