import { NatsClient } from 'tsmicro'
import { eventsDoor, NOT_PERMITTED, rootMessage } from 'tsmicro/internal'
import { CliError } from '../errors.ts'

/** A service answers within this time, or has done a part of the work and says that there is more. */
const ANSWER_MS = 60_000

/** A service has no events, or does not run. */
export class NobodyThereError extends CliError {}

/** The doors of the services on a NATS server where operators ask about events. */
export class Doors implements AsyncDisposable {
  readonly #nats: NatsClient

  private constructor(nats: NatsClient) {
    this.#nats = nats
  }

  /** @throws CliError if the server does not answer, or refuses the user */
  static async open(url: string): Promise<Doors> {
    const nats = new NatsClient({ url, name: userOf(url) })
    try {
      await nats.connect()
    } catch (error) {
      throw new CliError(`NATS cannot be used: ${rootMessage(error)}`)
    }
    return new Doors(nats)
  }

  /** @throws CliError with what the service says; NobodyThereError if nobody answers */
  async ask<Answer>(service: string, command: string, input: object = {}): Promise<Answer> {
    const body = JSON.stringify({ data: { command, ...input } })
    const text = await this.#exchange(service, body)
    const { data, error } = parse(service, text)
    if (error === undefined) return data as Answer
    throw new CliError(`${service}: ${String(error).replace(/^\d{3}:/, '')}`)
  }

  async #exchange(service: string, body: string): Promise<string> {
    try {
      return (await this.#nats.exchange(eventsDoor(service), body, { timeoutMs: ANSWER_MS })).string()
    } catch (error) {
      if (error instanceof NOT_PERMITTED)
        throw new CliError(`NATS ${this.#nats.user} may not ask services about their events: use the operator's URL`)
      if (!this.#nats.connected) throw new CliError('the connection to NATS was lost')
      if (rootMessage(error).startsWith('no responders'))
        throw new NobodyThereError(`${service} does not answer: it does not run, or has no events`)
      throw new CliError(`${service} does not answer: ${rootMessage(error)}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nats.close()
  }
}

/** It may receive replies on subjects that are named after it. */
function userOf(url: string): string {
  const [, user] = /^(?:[a-z]+:\/\/)?([A-Za-z0-9_-]+):[^@]*@/.exec(url) ?? []
  return user ?? 'operator'
}

function parse(service: string, text: string): { readonly data?: unknown; readonly error?: unknown } {
  try {
    const answer: unknown = JSON.parse(text)
    if (typeof answer === 'object' && answer !== null) return answer
  } catch {}
  throw new CliError(`${service}: the answer cannot be read`)
}
