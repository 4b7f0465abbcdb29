import {
  administration,
  apiKeyVerification,
  keys,
  profile,
  session,
  userEvents,
  validation,
} from '@blog-platform/auth-contract'
import { createService, type Log, type Service, StartError } from 'tsmicro'
import { loadKeyRing } from 'tsmicro/auth'
import type { Env } from '../config/env.ts'
import { createModule, type Parts } from './module.ts'

/**
 * The auth service, ready to be started.
 * @throws {StartError} when production is asked to make development data, or has no signing key
 */
export async function createAuthService(env: Env, log: Log, overrides: Partial<Parts> = {}): Promise<Service> {
  const production = env.NODE_ENV === 'production'
  if (production && env.SEED_DEVELOPMENT_DATA) {
    throw new StartError(
      'SEED_DEVELOPMENT_DATA makes an administrator whose password everybody knows: not in production',
    )
  }
  const keyRing = await loadKeyRing({ directory: env.KEYS_DIR, createIfMissing: !production }).catch(cause => {
    throw new StartError(`KEYS_DIR: ${(cause as Error).message}`, { cause })
  })
  return createService({
    name: 'auth',
    version: '0.1.0',
    description: 'Accounts, sessions, roles and API keys',
    contracts: [session, profile, administration, apiKeyVerification, validation, keys, userEvents],
    module: createModule({ env, keyRing, log, overrides }),
    log,
    http: { host: env.HOST, port: env.PORT, publicPath: '/auth' },
  })
}
