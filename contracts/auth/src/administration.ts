import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { LAST_ADMIN, USER_NOT_FOUND } from './errors.ts'
import { RoleName, roles } from './roles.ts'
import { PrivateProfile, UserId } from './user.ts'

export const administration = contract('auth', {
  /** Not idempotent: who gives up the role of an administrator may not do it a second time. */
  setRoles: procedure({
    http: 'PUT /admin/users/:id/roles',
    access: roles.ADMIN,
    summary: 'Set the roles of a user: those named are granted, all others revoked',
    input: Type.Object({ id: UserId, roles: Type.Array(RoleName, { minItems: 1, maxItems: 4, uniqueItems: true }) }),
    output: PrivateProfile,
    errors: { USER_NOT_FOUND, LAST_ADMIN },
    message: 'Roles changed',
  }),
})
