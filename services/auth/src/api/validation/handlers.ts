import { validation } from '@blog-platform/auth-contract'
import { type Implementation, implement } from 'tsmicro'
import type { RotatingKeyRing } from 'tsmicro/auth'
import type { ValidationService } from './service.ts'

/** What other services ask before they act on behalf of a user. */
export function validationHandlers(service: ValidationService, keyRing: Pick<RotatingKeyRing, 'jwks'>): Implementation {
  return implement(validation, {
    validateToken: ({ input }) => service.validateToken(input.token),
    verifyAccess: async ({ input }) => {
      const granted = await service.accessOf(input.token)
      return granted ? { granted } : {}
    },
    accessChanges: ({ input }) => service.changesSince(input.since),
    validateRole: async ({ input }) => ({ valid: await service.hasRole(input.userId, input.role) }),
    publicKeys: () => keyRing.jwks(),
  })
}
