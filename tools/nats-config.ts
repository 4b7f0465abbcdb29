/**
 * Writes `deploy/nats/nats.conf`: the users and permissions of a real nats-server, made from the contracts. Run by
 * `npm run nats:config`; a test fails when the file is out of step.
 */
import { writeFileSync } from 'node:fs'
import { authNatsAccess } from '@blog-platform/auth-service/nats-access'
import { blogNatsAccess } from '@blog-platform/blog-service/nats-access'
import { natsAuthorization, natsPermissionsOf } from 'tsmicro/contract'

export const NATS_CONFIG = new URL('../deploy/nats/nats.conf', import.meta.url)

const HEAD = `# Made by "npm run nats:config" from the contracts: change those, not this.
# The passwords come from the server's environment: AUTH_NATS_PASSWORD, BLOG_NATS_PASSWORD.

`

/** The configuration's text. */
export function natsConfig(): string {
  const users = [authNatsAccess, blogNatsAccess].map(natsPermissionsOf)
  return HEAD + natsAuthorization(users, user => `$${user.toUpperCase()}_NATS_PASSWORD`)
}

if (import.meta.main) writeFileSync(NATS_CONFIG, natsConfig())
