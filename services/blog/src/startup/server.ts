import { createService, type Service } from 'tsmicro'
import { createLogger } from 'tsmicro/telemetry'
import { type Env, gatewayDoor } from '../config/env.ts'
import { createModule, type Parts } from './module.ts'

export const NAME = 'blog'
const VERSION = '0.1.0'

/**
 * The blog service, not yet started.
 *
 * @example
 * const service = createBlogService(loadEnv())
 * await service.start()
 */
export function createBlogService(env: Env, overrides: Partial<Parts> = {}): Service {
  const log = overrides.log ?? createLogger({ name: NAME, level: env.LOG_LEVEL })
  const gateway = gatewayDoor(env)
  return createService({
    name: NAME,
    version: VERSION,
    description: 'Blogs: writing, publishing, reading',
    module: createModule(env, { ...overrides, log }),
    log,
    http: { host: env.HOST, port: env.PORT, publicPath: '/blog', ...(gateway ? { gateway } : {}) },
  })
}
