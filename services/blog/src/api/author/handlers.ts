import { userEvents } from '@blog-platform/auth-contract'
import { type Module, on } from 'tsmicro'
import type { AuthorService } from './service.ts'

/** Keeps authors' profiles up to date. Both handlers share a name, so that events are handled in the order they arrive. */
export function authorHandlers(authors: AuthorService): NonNullable<Module['handlers']> {
  return [userEvents.userCreated, userEvents.userUpdated].map(event =>
    on(event, { name: 'authors', effect: 'idempotent' }, ({ data, aggregateSequence }) => {
      const { userId: id, name, profilePicUrl } = data
      return authors.update({ id, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) }, aggregateSequence)
    }),
  )
}
