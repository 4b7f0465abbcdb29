import { HttpConnection, requestBytes } from '../http-client.ts'
import type { Meter } from '../meter.ts'
import { COUNTER, type Request, signed } from './traffic.ts'

interface Order {
  /** Of the requests, which are known already. */
  readonly name: string
  readonly port: number
  readonly connections: number
}

/** Clients that send the next request as soon as they have their answer. */
export class Load {
  readonly #meter: Meter
  readonly #requests = new Map<string, readonly Request[]>()
  #connections: HttpConnection[] = []
  #error: Error | undefined
  #sent = 0

  constructor(meter: Meter) {
    this.#meter = meter
  }

  know(name: string, requests: readonly Request[]): void {
    this.#requests.set(name, requests)
  }

  async start({ name, port, connections }: Order): Promise<void> {
    // Signed again each time, as the gateway's signature is valid for half a minute.
    const all = (this.#requests.get(name) ?? []).map(exchangeOf)
    this.#connections = await Promise.all(
      Array.from({ length: connections }, () => HttpConnection.open(port, this.#fail)),
    )
    for (const connection of this.#connections) {
      const send = () => {
        const exchange = all[this.#sent++ % all.length]
        if (!exchange) return
        const began = performance.now()
        connection.send(exchange.next(this.#sent), body => {
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

const RUN = Date.now().toString(36)

/** A request as it is sent. What is read is the same each time; what is written has a number of its own. */
function exchangeOf(request: Request) {
  const { method, path, body = '' } = request
  const headers = signed(request)
  const whole = requestBytes(method, path, headers, body)
  let expected: string | undefined
  return {
    next: (n: number) =>
      body.includes(COUNTER) ? requestBytes(method, path, headers, body.replaceAll(COUNTER, `${RUN}-${n}`)) : whole,
    isRight(answer: string) {
      if (body !== '') return true
      expected ??= answer
      return answer === expected
    },
  }
}
