export { Env, loadEnv } from './config/env.ts'
export { DEMO_ADMIN, DEMO_API_KEY } from './startup/demo.ts'
export type { Parts } from './startup/module.ts'
export { createAuthService } from './startup/server.ts'
