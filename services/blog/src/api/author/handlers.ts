import { userEvents } from '@blog-platform/auth-contract'
import { type Module, on } from 'tsmicro'
import type { AuthorService } from './service.ts'

/** Keeps authors' profiles up to date. Both handlers share a name, so that the events of a user are handled in their order. */
export function authorHandlers(authors: AuthorService): NonNullable<Module['handlers']> {
  return [userEvents.userCreated, userEvents.userUpdated].map(event =>
    on(event, { name: 'authors', effect: 'mongodb' }, received => {
      const { userId: id, name, profilePicUrl } = received.data
      return authors.update({ id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }, received)
    }),
  )
}
