import { profile, userEvents, validation } from '@blog-platform/auth-contract'
import type { NatsAccess } from 'tsmicro/contract'

/** What this service does on NATS; its user's permissions are made from it. */
export const authNatsAccess: NatsAccess = { service: 'auth', serves: [validation, profile, userEvents] }
