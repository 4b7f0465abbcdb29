import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { authNatsAccess, gatewayNatsPermissions } from '@blog-platform/auth-service/nats-access'
import { blogNatsAccess } from '@blog-platform/blog-service/nats-access'
import { natsAuthorization, natsPermissionsOf } from 'tsmicro/contract'

/** Whoever connects without credentials: a test that looks on and takes part. */
const OBSERVER = { user: 'observer', publish: ['>'], subscribe: ['>'] }

/** Writes the configuration of a nats-server on which each service may do what its contracts say, and no more. */
export async function writeNatsUsers(directory: string): Promise<string> {
  const users = [...[authNatsAccess, blogNatsAccess].map(natsPermissionsOf), gatewayNatsPermissions]
  const file = join(directory, 'nats.conf')
  const authorization = natsAuthorization([...users, OBSERVER], user => JSON.stringify(passwordOf(user)))
  await writeFile(file, `${authorization}no_auth_user: ${OBSERVER.user}\n`)
  return file
}

/** The server's address as a service uses it. */
export function natsUrlFor(service: 'auth' | 'blog' | 'gateway', url: string): string {
  return url.replace('://', `://${service}:${passwordOf(service)}@`)
}

function passwordOf(user: string): string {
  return `${user}-for-tests`
}
