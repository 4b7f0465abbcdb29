import type { NatsClient } from '../nats/index.ts'
import type { Doors } from './doors.ts'
import { needsReplies, verifyHeard, verifyPermissions, verifyReplies } from './nats-permissions.ts'

/** What a service hears on NATS, from its start on: calls and events. */
export class NatsDoors {
  readonly #nats: NatsClient
  readonly #doors: Doors

  constructor(nats: NatsClient, doors: Doors) {
    this.#nats = nats
    this.#doors = doors
  }

  /** Before anything is done that could not be undone. @throws {StartError} when the server permits less than the service does */
  async verify(): Promise<void> {
    const may = await this.#nats.permissions()
    const { natsUse } = this.#doors
    // A server that does not say refuses what it must, then: `open` sees that of all that is to be heard.
    if (may) verifyPermissions(natsUse, this.#nats.user, may)
    // By now it has answered the first subscription of all, too.
    verifyReplies(natsUse, this.#nats.user, this.#nats.unheardReplies)
  }

  /** @throws {StartError} when the server does not let the service hear what it must */
  async open(): Promise<void> {
    const { natsServer, consumer, natsUse } = this.#doors
    const connection = this.#nats.use()
    natsServer.start(connection)
    consumer.start(connection)
    // Once the server has answered, it knows the subscriptions, or has refused them.
    await this.#nats.check()
    verifyHeard(natsUse, this.#nats.user, this.#refused())
  }

  /** False when the server has taken a permission away: some calls, events or answers do not come here. */
  get hears(): boolean {
    const deaf = this.#nats.unheardReplies !== undefined && needsReplies(this.#doors.natsUse)
    return !deaf && this.#refused().length === 0
  }

  #refused(): readonly string[] {
    const { natsServer, consumer } = this.#doors
    return [...natsServer.refused, ...consumer.refused]
  }
}
