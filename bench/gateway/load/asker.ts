import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Meter } from '../../common/meter.ts'

export interface AskerOptions {
  readonly port: number
  /** Sent one after the other, over and over. */
  readonly requests: readonly Buffer[]
  /** The one right answer. */
  readonly expected: string
  readonly meter: Meter
  /** Told when the connection breaks or an answer is wrong. */
  readonly onFailure: (error: Error) => void
}

const END_OF_HEAD = '\r\n\r\n'

/**
 * A client that asks again as soon as it has its answer, on one connection. Written on a raw socket: a whole HTTP client
 * would take more of the machine than the proxy.
 */
export class Asker {
  readonly #o: AskerOptions
  readonly #socket: Socket
  #next: number
  #received = ''
  #askedAt = 0
  #limit = Number.POSITIVE_INFINITY
  #done: (() => void) | undefined
  #closed = false

  private constructor(options: AskerOptions, socket: Socket, first: number) {
    this.#o = options
    this.#socket = socket
    this.#next = first
    const fail = (error: Error) => {
      if (!this.#closed) options.onFailure(error)
    }
    socket.setNoDelay(true).setEncoding('latin1')
    socket.on('data', chunk => this.#receive(String(chunk)))
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the proxy closed a connection')))
  }

  /** @param first with which request it begins, so that not all clients ask for the same at once */
  static async open(options: AskerOptions, first = 0): Promise<Asker> {
    const socket = connect(options.port, '127.0.0.1')
    await once(socket, 'connect')
    return new Asker(options, socket, first)
  }

  start(): void {
    this.#ask()
  }

  /** Asks once, and keeps its connection idle from then on: the proxy may close it. */
  async askOnce(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#limit = 1
    this.#done = resolve
    this.#ask()
    await promise
    this.#closed = true
  }

  close(): void {
    this.#closed = true
    this.#socket.destroy()
  }

  #ask(): void {
    const { requests } = this.#o
    const request = requests[this.#next % requests.length]
    if (request === undefined) return
    this.#next += 1
    this.#askedAt = performance.now()
    this.#socket.write(request)
  }

  #receive(chunk: string): void {
    const received = this.#received === '' ? chunk : this.#received + chunk
    const head = received.indexOf(END_OF_HEAD)
    const start = head + END_OF_HEAD.length
    if (head < 0 || received.length < start + this.#o.expected.length) {
      this.#received = received
      if (head >= 0 && !this.#promises(received)) this.#refuse(received)
      return
    }
    this.#received = ''
    if (!received.startsWith('HTTP/1.1 200') || received.slice(start) !== this.#o.expected) {
      this.#refuse(received)
      return
    }
    this.#o.meter.record(this.#askedAt)
    this.#limit -= 1
    if (this.#limit > 0 && !this.#closed) this.#ask()
    else this.#done?.()
  }

  /** Whether more of the right answer can come. */
  #promises(received: string): boolean {
    return received.startsWith('HTTP/1.1 200') && received.includes(`: ${this.#o.expected.length}\r\n`)
  }

  #refuse(answer: string): void {
    this.#o.onFailure(new Error(`a wrong answer through the proxy: ${answer.slice(0, 500)}`))
  }
}
