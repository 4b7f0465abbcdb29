import { administration, profile } from '@blog-platform/auth-contract'
import { type Implementation, implement } from 'tsmicro'
import { accountOf, privateProfileOf } from './model.ts'
import type { UserService } from './service.ts'

/** User profiles, and what administrators do with users. */
export function userHandlers(users: UserService): Implementation[] {
  return [
    implement(profile, {
      publicProfile: ({ input }) => users.publicProfile(input.id),
      myProfile: ({ user }) => privateProfileOf(accountOf(user)),
      changeMyProfile: ({ user, input }) => users.changeProfile(user.id, input),
    }),
    implement(administration, { setRoles: ({ input: { id, roles } }) => users.setRoles(id, roles) }),
  ]
}
