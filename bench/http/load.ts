import { gatewaySignature } from 'tsmicro/internal'
import { HttpConnection, requestBytes } from '../http-client.ts'
import type { Meter } from '../meter.ts'
import { GATEWAY_SECRET } from './subjects.ts'
import { exchangesOf, type Route } from './traffic.ts'

/** Clients that send the next request as soon as they have their answer. */
const CONNECTIONS = 64

interface Order {
  readonly port: number
  readonly route: Route
  /** Whether the gateway has signed the requests. */
  readonly signed: boolean
}

/** The clients of one service. */
export class Load {
  readonly #meter: Meter
  #connections: HttpConnection[] = []
  #error: Error | undefined

  constructor(meter: Meter) {
    this.#meter = meter
  }

  async start({ port, route, signed }: Order): Promise<void> {
    const all = exchangesOf(route).map(({ method, path, headers, body, expected }) => {
      const mark = signed
        ? { 'x-gateway-signature': gatewaySignature(GATEWAY_SECRET, { method, url: path, headers }) }
        : {}
      return { bytes: requestBytes(method, path, { ...headers, ...mark }, body), expected }
    })
    this.#connections = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => HttpConnection.open(port, this.#fail)),
    )
    let next = 0
    for (const connection of this.#connections) {
      const send = () => {
        const exchange = all[next++ % all.length]
        const began = performance.now()
        connection.send(exchange?.bytes ?? '', body => {
          if (body !== exchange?.expected) return this.#fail(new Error(`a wrong answer: ${body.slice(0, 500)}`))
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
