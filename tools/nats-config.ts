/**
 * What the services may do on NATS: `nats.conf` for a real nats-server, `permissions.json` for the servers that `npm start` and the tests
 * run, and `streams.json` for who creates their streams. `npx tsmicro generate` writes them into `deploy/nats`.
 */
import * as auth from '@blog-platform/auth-contract'
import type { PublicService, ServiceDescription } from '@tsmicro/cli/generate'
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
import { FOREIGN } from '../deploy/nats/foreign.ts'

export const NATS_CONFIG = new URL('../deploy/nats/nats.conf', import.meta.url)

const HEAD = `# Made by "npx tsmicro generate" from what the services do: change those, not this.
# The passwords come from the server's environment: AUTH_NATS_PASSWORD, BLOG_NATS_PASSWORD and so on. Events are kept in the folder
# that nats-server's option -sd names.

jetstream: { max_memory_store: 64M, max_file_store: 8G }
`

export interface NatsFiles {
  readonly config: string
  readonly permissions: string
  readonly streams: string
  /** The users in `config`. */
  readonly users: readonly string[]
}

/** The files' texts. @param foreign services in other languages */
export function natsFiles(
  services: readonly ServiceDescription[],
  contracts: readonly PublicService[],
  foreign: readonly NatsAccess[] = FOREIGN,
): NatsFiles {
  const permissions = [...services.map(each => each.permissions), ...foreign.map(natsPermissionsOf)]
  const operators = [natsOperatorOf('operator'), natsStreamsOf('streams'), natsObserverOf('observer')]
  // All that the gateway does on NATS is to hear which keys are revoked; Kong does not use it.
  const gateway = natsListenerOf('gateway', [auth.apiKeyEvents])
  // In production nobody explores, unless somebody adds this user.
  const explorer = natsExplorerOf(
    'explorer',
    contracts.flatMap(({ exported }) => contractsIn(exported)),
  )
  const users = [...permissions, ...operators, gateway, explorer]
  const passwordOf = (user: string) => `$${user.replaceAll('-', '_').toUpperCase()}_NATS_PASSWORD`
  return {
    config: HEAD + natsAuthorization([...permissions, ...operators], passwordOf),
    permissions: textOf(users),
    streams: textOf([...services.flatMap(({ streams }) => streams), ...foreign.flatMap(streamsOf)]),
    users: [...permissions, ...operators].map(({ user }) => user),
  }
}

const textOf = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`
