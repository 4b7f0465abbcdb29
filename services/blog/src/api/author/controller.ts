import { userEvents } from '@blog-platform/auth-contract'
import { type AuthenticationProvider, type AuthorizationProvider, Controller, type NatsGroup } from 'tsmicro'
import type { AuthorService } from './service.ts'

/** Keeps authors' profiles fresh: no routes, only events. */
export class AuthorController extends Controller {
  readonly #authors: AuthorService

  constructor(authentication: AuthenticationProvider, authorization: AuthorizationProvider, authors: AuthorService) {
    super('/', authentication, authorization)
    this.#authors = authors
  }

  override mountNats(nats: NatsGroup): void {
    for (const event of [userEvents.userCreated, userEvents.userUpdated]) {
      nats.consume(event, ({ data: { userId, name, profilePicUrl }, aggregateSequence }) =>
        this.#authors.update(
          { id: userId, name, ...(profilePicUrl === undefined ? {} : { profilePicUrl }) },
          aggregateSequence,
        ),
      )
    }
  }
}
