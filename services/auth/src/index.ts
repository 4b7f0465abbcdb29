export { Env, loadEnv } from './env.ts'
export { DEMO_ADMIN, DEMO_API_KEY } from './startup/demo.ts'
export { createAuthService, type Parts } from './startup/module.ts'
