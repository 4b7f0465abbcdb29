import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { natsAuthorization } from 'tsmicro/contract'
import users from '../../deploy/nats/permissions.json' with { type: 'json' }

/** The user for connections without credentials: a test that observes and takes part. */
const OBSERVER = { user: 'observer', publish: ['>'], subscribe: ['>'] }

/** Writes the configuration of a nats-server on which each service has only the permissions it needs. */
export async function writeNatsUsers(directory: string): Promise<string> {
  const file = join(directory, 'nats.conf')
  const authorization = natsAuthorization([...users, OBSERVER], user => JSON.stringify(passwordOf(user)))
  await writeFile(file, `${authorization}no_auth_user: ${OBSERVER.user}\n`)
  return file
}

/** The server's URL as a user has it. */
export function natsUrlFor(
  user: 'auth' | 'blog' | 'gateway' | 'operator' | 'streams' | 'explorer',
  url: string,
): string {
  return url.replace('://', `://${user}:${passwordOf(user)}@`)
}

function passwordOf(user: string): string {
  return `${user}-for-tests`
}
