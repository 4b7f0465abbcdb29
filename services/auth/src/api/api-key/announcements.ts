import { apiKeyEvents } from '@blog-platform/auth-contract'
import type { Log, Publisher } from 'tsmicro'

/** Announces what became of API keys. It is done already: an announcement that fails is logged, and gateways forget in seconds. */
export class ApiKeyAnnouncements {
  readonly #events: Publisher
  readonly #log: Log

  constructor(events: Publisher, log: Log) {
    this.#events = events
    this.#log = log
  }

  async revoked(apiKeyId: string): Promise<void> {
    try {
      await this.#events.publish(apiKeyEvents.apiKeyRevoked, { apiKeyId })
    } catch (err) {
      this.#log.error({ err }, 'an event could not be published')
    }
  }
}
