/**
 * Writes what the services may do on NATS into `deploy/nats`: `nats.conf` for a real nats-server, `permissions.json` for the servers
 * that `npm start` and the tests run, and `streams.json` for who creates their streams. All come from the services themselves, which are
 * built, but not started. Run by
 * `npm run nats:config`; a test fails when the files are out of step.
 */
import { writeFileSync } from 'node:fs'
import * as auth from '@blog-platform/auth-contract'
import { createAuthService, loadEnv as loadAuthEnv } from '@blog-platform/auth-service'
import * as blog from '@blog-platform/blog-contract'
import { createBlogService, loadEnv as loadBlogEnv } from '@blog-platform/blog-service'
import type { Service } from 'tsmicro'
import { natsAuthorization, natsPermissionsOf } from 'tsmicro/contract'
import {
  contractsIn,
  type NatsAccess,
  natsExplorerOf,
  natsListenerOf,
  natsObserverOf,
  natsOperatorOf,
  natsStreamsOf,
  streamsOf,
} from 'tsmicro/internal'
import { createLogger } from 'tsmicro/telemetry'
import { FOREIGN } from '../deploy/nats/foreign.ts'

export const NATS_CONFIG = new URL('../deploy/nats/nats.conf', import.meta.url)
export const NATS_STREAMS = new URL('../deploy/nats/streams.json', import.meta.url)
export const NATS_PERMISSIONS = new URL('../deploy/nats/permissions.json', import.meta.url)

const HEAD = `# Made by "npm run nats:config" from what the services do: change those, not this.
# The passwords come from the server's environment: AUTH_NATS_PASSWORD, BLOG_NATS_PASSWORD and so on. Events are kept in the folder
# that nats-server's option -sd names.

jetstream: { max_memory_store: 64M, max_file_store: 8G }
`

/** Nothing of it is ever connected to. */
const ENV = { NODE_ENV: 'test', NATS_URL: 'nats://nowhere', LOG_LEVEL: 'silent' }

export interface NatsFiles {
  readonly config: string
  readonly permissions: string
  readonly streams: string
}

/** The files' texts. @param foreign services in other languages */
export function natsFiles(foreign: readonly NatsAccess[] = FOREIGN): NatsFiles {
  const services = buildServices()
  const permissions = [...services.map(({ natsAccess }) => natsAccess), ...foreign].map(natsPermissionsOf)
  const operators = [natsOperatorOf('operator'), natsStreamsOf('streams'), natsObserverOf('observer')]
  // All that the gateway does on NATS is to hear which keys are revoked; Kong does not use it.
  const gateway = natsListenerOf('gateway', [auth.apiKeyEvents])
  // In production nobody explores, unless somebody adds this user.
  const explorer = natsExplorerOf('explorer', [auth, blog].flatMap(contractsIn))
  const users = [...permissions, ...operators, gateway, explorer]
  const passwordOf = (user: string) => `$${user.toUpperCase()}_NATS_PASSWORD`
  return {
    config: HEAD + natsAuthorization([...permissions, ...operators], passwordOf),
    permissions: textOf(users),
    streams: textOf([...services.flatMap(({ streams }) => streams), ...foreign.flatMap(streamsOf)]),
  }
}

const textOf = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`

function buildServices(): readonly Service[] {
  const authEnv = loadAuthEnv({ ...ENV, DATABASE_URL: 'postgres://nowhere/auth', KEYS_DIR: '/nowhere' })
  const blogEnv = loadBlogEnv({ ...ENV, MONGODB_URL: 'mongodb://nowhere' })
  const log = createLogger({ name: 'nats-config', level: 'silent' })
  return [createAuthService(authEnv, log), createBlogService(blogEnv, { log })]
}

if (import.meta.main) {
  const { config, permissions, streams } = natsFiles()
  writeFileSync(NATS_CONFIG, config)
  writeFileSync(NATS_PERMISSIONS, permissions)
  writeFileSync(NATS_STREAMS, streams)
}
