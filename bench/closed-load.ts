import { HttpConnection } from './http-client.ts'
import type { Meter } from './meter.ts'

/** A request that is sent again and again. */
export interface Exchange {
  /** The whole request, which may contain a number that no other one has. */
  bytes(number: number): Buffer
  isRight(answer: string): boolean
}

/** Clients of one server, each of which sends the next request as soon as it has its answer. */
export class ClosedLoad {
  readonly #meter: Meter
  #connections: HttpConnection[] = []
  #error: Error | undefined
  #sent = 0

  constructor(meter: Meter) {
    this.#meter = meter
  }

  /** Sends the requests in turn, over so many kept connections. */
  async start(port: number, connections: number, exchanges: readonly Exchange[]): Promise<void> {
    this.#connections = await Promise.all(
      Array.from({ length: connections }, () => HttpConnection.open(port, this.#fail)),
    )
    for (const connection of this.#connections) {
      const send = () => {
        const exchange = exchanges[this.#sent++ % exchanges.length]
        if (!exchange) return
        const began = performance.now()
        connection.send(exchange.bytes(this.#sent), body => {
          if (!exchange.isRight(body)) return this.#fail(new Error(`a wrong answer: ${body.slice(0, 500)}`))
          this.#meter.record(began)
          send()
        })
      }
      send()
    }
  }

  /** @throws the first error, if there was one */
  stop(): void {
    for (const connection of this.#connections.splice(0)) connection.close()
    const error = this.#error
    this.#error = undefined
    if (error) throw error
  }

  readonly #fail = (error: Error): void => {
    this.#error ??= error
  }
}
