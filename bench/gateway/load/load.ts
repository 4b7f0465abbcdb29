import type { Meter } from '../../common/meter.ts'
import type { Door } from '../subject.ts'
import { POST_BODY, POST_BYTES, receipt, SIZE_FIELD, SMALL_ANSWER } from '../traffic.ts'
import { Asker, type AskerOptions } from './asker.ts'
import { requestBytes } from './request-bytes.ts'
import { LARGE_BYTES, readSlowly } from './slow-reader.ts'
import { sendSlowly } from './slow-sender.ts'

/** `slow` is `get` beside slow clients and idle connections. */
export const LOADS = ['get', 'post', 'slow'] as const
export type LoadName = (typeof LOADS)[number]

/** How many clients ask as fast as they are answered. */
export const CONNECTIONS = 64
const SLOW_SENDERS = 48
/** Fewer, because each first has megabytes sent until all buffers on the way are full. */
const SLOW_READERS = 16
const IDLE_CONNECTIONS = 1000

/** How many of the idle ones are opened at a time. */
const AT_A_TIME = 50

/** The clients of one proxy. */
export class Load {
  readonly #meter: Meter
  readonly #ends: (() => void)[] = []
  #error: Error | undefined

  constructor(meter: Meter) {
    this.#meter = meter
  }

  async start({ door, load }: { readonly door: Door; readonly load: LoadName }): Promise<void> {
    const post = requestBytes({ method: 'POST', path: door.postPath, headers: door.headers, body: POST_BODY })
    const gets = door.paths.map(path => requestBytes({ method: 'GET', path, headers: door.headers }))
    const common = { port: door.port, meter: this.#meter, onFailure: this.#fail }
    const get: AskerOptions = { ...common, requests: gets, expected: SMALL_ANSWER }
    if (load === 'slow') await this.#crowd(door, get, post)
    const options = load === 'post' ? { ...common, requests: [post], expected: receipt(POST_BYTES) } : get
    const askers = await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => this.#open(options, i)))
    for (const asker of askers) asker.start()
  }

  /** @throws the first error, when anything failed */
  stop(): void {
    for (const end of this.#ends.splice(0)) end()
    const error = this.#error
    this.#error = undefined
    if (error) throw error
  }

  async #crowd(door: Door, get: AskerOptions, post: Buffer): Promise<void> {
    for (let opened = 0; opened < IDLE_CONNECTIONS; opened += AT_A_TIME) {
      const idle = await Promise.all(Array.from({ length: AT_A_TIME }, (_, i) => this.#open(get, i)))
      await Promise.all(idle.map(asker => asker.askOnce()))
    }
    const large = { ...door.headers, [SIZE_FIELD]: String(LARGE_BYTES) }
    const path = door.paths[0] ?? '/'
    const ask = requestBytes({ method: 'GET', path, headers: large })
    for (let i = 0; i < SLOW_SENDERS; i++) this.#ends.push(sendSlowly(door.port, post, this.#fail))
    for (let i = 0; i < SLOW_READERS; i++) this.#ends.push(readSlowly(door.port, ask, this.#fail))
  }

  async #open(options: AskerOptions, first: number): Promise<Asker> {
    const asker = await Asker.open(options, first)
    this.#ends.push(() => asker.close())
    return asker
  }

  readonly #fail = (error: Error): void => {
    this.#error ??= error
  }
}
