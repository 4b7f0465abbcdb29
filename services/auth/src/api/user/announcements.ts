import { userEvents } from '@blog-platform/auth-contract'
import type { Log, Publisher } from 'tsmicro'
import type { User } from './model.ts'

/** Announces what happened to users. The change is done already: an announcement that fails is logged, not an error. */
export class UserAnnouncements {
  readonly #events: Publisher
  readonly #log: Log

  constructor(events: Publisher, log: Log) {
    this.#events = events
    this.#log = log
  }

  created(user: User): Promise<void> {
    const { id: userId, email, name, version: sequence } = user
    const role = user.roles[0]?.code ?? 'LEARNER'
    return this.#attempt(() =>
      this.#events.publish(userEvents.userCreated, { userId, email, name, role, ...pictureOf(user) }, { sequence }),
    )
  }

  updated(user: User): Promise<void> {
    const { id: userId, name, version: sequence } = user
    return this.#attempt(() =>
      this.#events.publish(userEvents.userUpdated, { userId, name, ...pictureOf(user) }, { sequence }),
    )
  }

  async #attempt(publish: () => Promise<void>): Promise<void> {
    try {
      await publish()
    } catch (err) {
      this.#log.error({ err }, 'an event could not be published')
    }
  }
}

function pictureOf({ profilePicUrl }: User) {
  return profilePicUrl === undefined ? {} : { profilePicUrl }
}
