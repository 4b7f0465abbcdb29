import { apiKeyEvents, userEvents } from '@blog-platform/auth-contract'
import type { Log, Publisher } from 'tsmicro'
import { publicProfileOf, type User } from './user/model.ts'

/**
 * Announces changes that have already been stored. A failed announcement is therefore logged instead of failing the request;
 * for API keys it only means that gateways notice a few seconds later.
 */
export class Announcements {
  readonly #events: Publisher
  readonly #log: Log

  constructor(events: Publisher, log: Log) {
    this.#events = events
    this.#log = log
  }

  userCreated(user: User): Promise<void> {
    const { id: userId, ...profile } = publicProfileOf(user)
    const data = { userId, ...profile, email: user.email, role: user.roles[0]?.code ?? 'LEARNER' }
    return this.#attempt(() => this.#events.publish(userEvents.userCreated, data, { sequence: user.version }))
  }

  userUpdated(user: User): Promise<void> {
    const { id: userId, ...profile } = publicProfileOf(user)
    const data = { userId, ...profile }
    return this.#attempt(() => this.#events.publish(userEvents.userUpdated, data, { sequence: user.version }))
  }

  apiKeyRevoked(apiKeyId: string): Promise<void> {
    return this.#attempt(() => this.#events.publish(apiKeyEvents.apiKeyRevoked, { apiKeyId }))
  }

  async #attempt(publish: () => Promise<void>): Promise<void> {
    try {
      await publish()
    } catch (err) {
      this.#log.error({ err }, 'an event could not be published')
    }
  }
}
