import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HttpConnection } from '../http-client.ts'
import type { Meter } from '../meter.ts'
import { requestOf, verify } from './payload.ts'
import type { Call } from './subjects.ts'

/** A number of callers, each of which calls again as soon as it has its answer. */
export class ClosedLoop {
  readonly #call: Call
  readonly #meter: Meter
  #sequence = 0
  #running = false
  #callers: Promise<unknown> = Promise.resolve()

  constructor(call: Call, meter: Meter) {
    this.#call = call
    this.#meter = meter
  }

  start(inFlight: number): void {
    this.#running = true
    this.#callers = Promise.all(Array.from({ length: inFlight }, () => this.#caller()))
    // `stop` reports the error; nobody may be waiting before.
    this.#callers.catch(() => {
      this.#running = false
    })
  }

  /** Resolves when the last call has been answered. @throws the error of the first call that failed */
  async stop(): Promise<void> {
    this.#running = false
    await this.#callers
  }

  async #caller(): Promise<void> {
    while (this.#running) {
      const sequence = this.#sequence++
      const began = performance.now()
      const answer = await this.#call(requestOf(sequence))
      this.#meter.record(began)
      verify(sequence, answer)
    }
  }
}

/** An HTTP server that makes one call for each request, `GET /<sequence>`. Resolves when it listens. */
export async function openHttpDoor(call: Call, meter: Meter): Promise<{ readonly port: number; close(): void }> {
  const server = createServer(async (request, response) => {
    try {
      const sequence = Number(request.url?.slice(1))
      const answer = await call(requestOf(sequence))
      verify(sequence, answer)
      meter.count()
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answer))
    } catch (error) {
      response.statusCode = 500
      response.end(String(error))
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, close }
}

/**
 * Times at which independent requests arrive at a rate: a Poisson process, whose gaps are random. The same seed gives the same
 * times, so that every subject gets the same load.
 */
export function* arrivals(perSecond: number, startMs: number, seed = 1): Generator<number, never> {
  let [state, due] = [seed, startMs]
  for (;;) {
    // mulberry32: small, fast, and good enough for gaps.
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    const random = ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
    due += (-Math.log(1 - random) * 1000) / perSecond
    yield due
  }
}

/** Longest sleep of the pacing loop: Node's own timers are no finer than a millisecond, so requests would come in bursts. */
const NAP_MS = 0.1
const NAP = new Int32Array(new SharedArrayBuffer(4))

/** HTTP requests, each timed from when it was due until it was answered, including the wait for a free connection. */
export class HttpLoad {
  readonly #meter: Meter
  readonly #connections: HttpConnection[] = []
  /** Due times of requests that wait for a free connection. */
  #behind: number[] = []
  #idle: HttpConnection[] = []
  #paced = false
  #sequence = 0
  #running = false
  #error: Error | undefined

  constructor(meter: Meter) {
    this.#meter = meter
  }

  /** False before the start, after the stop, and after the first failure. */
  get running(): boolean {
    return this.#running
  }

  /** @param perSecond `undefined`: each connection sends again as soon as it has its answer, to find the highest rate */
  async start(port: number, connections: number, perSecond: number | undefined): Promise<void> {
    for (let i = 0; i < connections; i++) this.#connections.push(await HttpConnection.open(port, this.#fail))
    this.#running = true
    this.#paced = perSecond !== undefined
    if (perSecond === undefined) {
      for (const connection of this.#connections) this.#send(connection, performance.now())
    } else {
      this.#idle = [...this.#connections]
      const times = arrivals(perSecond, performance.now())
      this.#pace(times, times.next().value)
    }
  }

  /** @throws the first error, if there was one */
  stop(): void {
    this.#running = false
    for (const connection of this.#connections.splice(0)) connection.close()
    this.#idle = []
    this.#behind = []
    const error = this.#error
    this.#error = undefined
    if (error) throw error
  }

  #pace(times: Iterator<number, never>, due: number): void {
    if (!this.#running) return
    let next = due
    for (; next <= performance.now(); next = times.next().value) {
      // First in, first out: every connection gets its turn, as those of many clients would.
      const connection = this.#idle.shift()
      if (connection) this.#send(connection, next)
      else this.#behind.push(next)
    }
    const untilNext = next - performance.now()
    if (untilNext > 0) Atomics.wait(NAP, 0, 0, Math.min(NAP_MS, untilNext))
    setImmediate(() => this.#pace(times, next))
  }

  #send(connection: HttpConnection, due: number): void {
    const sequence = this.#sequence++
    connection.send(`GET /${sequence} HTTP/1.1\r\nhost: bench\r\n\r\n`, body => {
      this.#meter.record(due)
      if (!body.includes(`"sequence":${sequence},`))
        this.#fail(new Error(`wrong HTTP answer to request ${sequence}: ${body}`))
      if (!this.#running) return
      const next = this.#paced ? this.#behind.shift() : performance.now()
      if (next === undefined) this.#idle.push(connection)
      else this.#send(connection, next)
    })
  }

  readonly #fail = (error: Error): void => {
    this.#error ??= error
    this.#running = false
  }
}
