import { profile, userEvents, validation } from '@blog-platform/auth-contract'
import { reading } from '@blog-platform/blog-contract'
import type { NatsAccess } from 'tsmicro/contract'

/** What this service does on NATS; its user's permissions are made from it. */
export const blogNatsAccess: NatsAccess = {
  service: 'blog',
  serves: [reading],
  calls: [validation, profile],
  consumes: [userEvents],
}
