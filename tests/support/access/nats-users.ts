import type { NatsConnection } from '@nats-io/transport-node'
import { connect } from '@nats-io/transport-node'
import type { BoundProcedure, Contract } from 'tsmicro/contract'
import { inboxPrefixOf, proceduresOf } from 'tsmicro/internal'
import { natsUrlFor } from '../nats-users.ts'
import type { Platform } from '../platform.ts'
import { until } from '../until.ts'

export type Outcome = 'answered' | 'refused'

/** Whether a procedure is one of those. */
export function mayCall({ subject }: BoundProcedure, calls: readonly Contract[]): Outcome {
  return calls.flatMap(proceduresOf).some(called => called.subject === subject) ? 'answered' : 'refused'
}

/** A connection as a service's user, which records what the server refuses. */
export class NatsUser implements AsyncDisposable {
  readonly #connection: NatsConnection
  readonly #refused: string[] = []

  private constructor(connection: NatsConnection) {
    this.#connection = connection
    void this.#listen()
  }

  static async connect(service: 'auth' | 'blog', { nats }: Platform): Promise<NatsUser> {
    const { host, username: user, password: pass } = new URL(natsUrlFor(service, nats.url))
    return new NatsUser(await connect({ servers: host, user, pass, inboxPrefix: inboxPrefixOf(service) }))
  }

  /** Sends an empty request: any reply shows that it was let through. */
  async ask(subject: string): Promise<Outcome> {
    let outcome: Outcome | undefined
    this.#connection.request(subject, '{"data":{}}', { timeout: 30_000 }).then(
      () => {
        outcome = 'answered'
      },
      () => undefined,
    )
    await until(`an answer on ${subject}`, () => {
      if (this.#refused.some(text => text.includes(`"${subject}"`))) outcome ??= 'refused'
      return outcome !== undefined
    })
    return outcome ?? 'refused'
  }

  async #listen(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'error') this.#refused.push(status.error.message)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection.close()
  }
}
