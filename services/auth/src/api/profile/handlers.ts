import { profile } from '@blog-platform/auth-contract'
import { type Implementation, implement } from 'tsmicro'
import type { ProfileService } from './service.ts'

/** What is shown of a user, to everybody and to themselves. */
export function profileHandlers(profiles: ProfileService): Implementation {
  return implement(profile, {
    publicProfile: ({ input }) => profiles.publicProfile(input.id),
    myProfile: ({ user }) => profiles.privateProfile(user.id),
    changeMyProfile: ({ user, input }) => profiles.change(user.id, input),
  })
}
