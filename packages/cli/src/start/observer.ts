import { dirname, join } from 'node:path'
import { type Server, writePrivately } from '@tsmicro/infra'
import { inboxPrefixOf } from 'tsmicro/internal'
import type { NatsUsers } from './secrets.ts'
import type { Row } from './summary.ts'

/**
 * The row of the table that shows how to list the services with the nats CLI. Its password is in a context file of the CLI, for its owner
 * alone: everybody on the machine can read command lines.
 */
export function observerRow(nats: Server | undefined, users: NatsUsers | undefined): readonly Row[] {
  // A server given by URL has its own users.
  if (nats === undefined || nats.source === 'url' || users?.observer === undefined) return []
  const { observer: user, passwords, file } = users
  const context = join(dirname(file), `${user}.json`)
  const { host } = new URL(nats.url)
  const fields = { url: `nats://${host}`, user, password: passwords[user], inbox_prefix: inboxPrefixOf(user) }
  writePrivately(context, JSON.stringify(fields))
  return [[user, `nats --context ${quoted(context)} micro ls`, 'may only look']]
}

const quoted = (path: string) => (/^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`)
