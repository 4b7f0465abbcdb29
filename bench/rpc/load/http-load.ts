import type { Meter } from '../../common/meter.ts'
import { Arrivals } from './arrivals.ts'
import { HttpConnection } from './http-connection.ts'

/** Longest sleep of the pacing loop; Node's own timers are no finer than a millisecond, which would send requests in packs. */
const NAP_MS = 0.1
const NAP = new Int32Array(new SharedArrayBuffer(4))

/** HTTP requests, each with its time from when it was due until it was answered: waiting for a free connection counts. */
export class HttpLoad {
  readonly #meter: Meter
  readonly #connections: HttpConnection[] = []
  /** Due times of requests that wait for a free connection. */
  #behind: number[] = []
  #idle: HttpConnection[] = []
  #arrivals: Arrivals | undefined
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

  /** @param perSecond `undefined`: each connection asks again as soon as it has its answer, to find out what can be had */
  async start(port: number, connections: number, perSecond: number | undefined): Promise<void> {
    const fail = (error: Error) => {
      this.#error ??= error
      this.#running = false
    }
    for (let i = 0; i < connections; i++) this.#connections.push(await HttpConnection.open(port, fail))
    this.#running = true
    this.#idle = [...this.#connections]
    if (perSecond === undefined) {
      this.#arrivals = undefined
      for (const connection of this.#idle.splice(0)) this.#send(connection, performance.now())
      return
    }
    this.#arrivals = new Arrivals(perSecond, performance.now())
    this.#pace()
  }

  /** @throws the first error, when a request failed */
  stop(): void {
    this.#running = false
    for (const connection of this.#connections.splice(0)) connection.close()
    this.#idle = []
    this.#behind = []
    const error = this.#error
    this.#error = undefined
    if (error) throw error
  }

  #pace = (): void => {
    const arrivals = this.#arrivals
    if (!this.#running || !arrivals) return
    while (arrivals.nextMs <= performance.now()) {
      const due = arrivals.take()
      // First in, first out: every connection gets its turn, as those of many clients would.
      const connection = this.#idle.shift()
      if (connection) this.#send(connection, due)
      else this.#behind.push(due)
    }
    const untilNext = arrivals.nextMs - performance.now()
    if (untilNext > 0) Atomics.wait(NAP, 0, 0, Math.min(NAP_MS, untilNext))
    setImmediate(this.#pace)
  }

  #send(connection: HttpConnection, due: number): void {
    const sequence = this.#sequence++
    connection.get(`/${sequence}`, body => {
      this.#meter.record(due)
      if (!body.includes(`"sequence":${sequence},`)) {
        this.#error ??= new Error(`wrong HTTP answer to request ${sequence}: ${body}`)
        this.#running = false
      }
      if (!this.#running) return
      if (!this.#arrivals) return this.#send(connection, performance.now())
      const late = this.#behind.shift()
      if (late === undefined) this.#idle.push(connection)
      else this.#send(connection, late)
    })
  }
}
