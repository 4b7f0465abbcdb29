import { apiKeyEvents, profile, userEvents, validation } from '@blog-platform/auth-contract'
import { type NatsAccess, natsListenerOf } from 'tsmicro/contract'

/** What this service does on NATS; its user's permissions are made from it. */
export const authNatsAccess: NatsAccess = {
  service: 'auth',
  serves: [validation, profile, userEvents, apiKeyEvents],
}

/** What a gateway hears of this service, which is all that it does on NATS. */
export const gatewayNatsPermissions = natsListenerOf('gateway', [apiKeyEvents])
