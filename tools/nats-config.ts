/**
 * Writes what the services may do on NATS into `deploy/nats`: `nats.conf` for a real nats-server, `permissions.json` for the servers
 * that `npm start` and the tests run. Both come from the services themselves, which are built, but not started. Run by
 * `npm run nats:config`; a test fails when the files are out of step.
 */
import { writeFileSync } from 'node:fs'
import { apiKeyEvents } from '@blog-platform/auth-contract'
import { createAuthService, loadEnv as loadAuthEnv } from '@blog-platform/auth-service'
import { createBlogService, loadEnv as loadBlogEnv } from '@blog-platform/blog-service'
import { type NatsPermissions, natsAuthorization, natsPermissionsOf } from 'tsmicro/contract'
import { natsListenerOf } from 'tsmicro/internal'
import { createLogger } from 'tsmicro/telemetry'

export const NATS_CONFIG = new URL('../deploy/nats/nats.conf', import.meta.url)
export const NATS_PERMISSIONS = new URL('../deploy/nats/permissions.json', import.meta.url)

const HEAD = `# Made by "npm run nats:config" from what the services do: change those, not this.
# The passwords come from the server's environment: AUTH_NATS_PASSWORD, BLOG_NATS_PASSWORD.

`

/** Nothing of it is ever connected to. */
const ENV = { NODE_ENV: 'test', NATS_URL: 'nats://nowhere', LOG_LEVEL: 'silent' }

export interface NatsFiles {
  readonly config: string
  readonly permissions: string
}

/** The files' texts. */
export function natsFiles(): NatsFiles {
  const services = servicePermissions()
  // All that the gateway does on NATS is to hear which keys are revoked.
  const users = [...services, natsListenerOf('gateway', [apiKeyEvents])]
  return {
    config: HEAD + natsAuthorization(services, user => `$${user.toUpperCase()}_NATS_PASSWORD`),
    permissions: `${JSON.stringify(users, undefined, 2)}\n`,
  }
}

function servicePermissions(): readonly NatsPermissions[] {
  const authEnv = loadAuthEnv({ ...ENV, DATABASE_URL: 'postgres://nowhere/auth', KEYS_DIR: '/nowhere' })
  const blogEnv = loadBlogEnv({ ...ENV, MONGODB_URL: 'mongodb://nowhere' })
  const log = createLogger({ name: 'nats-config', level: 'silent' })
  const services = [createAuthService(authEnv, log), createBlogService(blogEnv, { log })]
  return services.map(({ natsAccess }) => natsPermissionsOf(natsAccess))
}

if (import.meta.main) {
  const { config, permissions } = natsFiles()
  writeFileSync(NATS_CONFIG, config)
  writeFileSync(NATS_PERMISSIONS, permissions)
}
