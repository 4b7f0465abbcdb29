import { createService, type Log, type Service } from 'tsmicro'
import { type Env, gatewayDoor } from '../config/env.ts'
import { createModule, type Parts } from './module.ts'

/**
 * The auth service, ready to be started.
 * @throws {StartError} when there is no usable signing key; only development and test make one
 */
export async function createAuthService(env: Env, log: Log, overrides: Partial<Parts> = {}): Promise<Service> {
  const gateway = gatewayDoor(env)
  return createService({
    name: 'auth',
    version: '0.1.0',
    description: 'Accounts, sessions, roles and API keys',
    module: await createModule({ env, log, overrides }),
    log,
    handlerTimeoutMs: env.REQUEST_TIMEOUT_MS,
    http: {
      host: env.HOST,
      port: env.PORT,
      publicPath: '/auth',
      trustedProxies: env.TRUSTED_PROXIES,
      ...(gateway ? { gateway } : {}),
    },
  })
}
