import type { Socket } from 'node:net'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'
import { type Message, Operations, written } from './protocol.ts'

/** A connection to a nats-server without a client library: it sends and receives bytes. */
export class RawLink implements Disposable {
  /** Messages that were delivered, in order. */
  readonly heard: Message[] = []
  readonly #socket: Socket
  readonly #operations = new Operations()
  readonly #take: (message: Message) => void
  #subscriptions = 0
  #pongs = 0

  private constructor(socket: Socket, take: (message: Message) => void) {
    this.#socket = socket
    this.#take = take
    socket.on('data', chunk => this.#read(chunk))
    socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n')
  }

  /** @param take is called with each message that is delivered */
  static async open(url: string, take: (message: Message) => void = () => {}): Promise<RawLink> {
    return new RawLink(await dial(url), take)
  }

  subscribe(subject: string, queue = ''): void {
    this.#subscriptions += 1
    this.#socket.write(`SUB ${subject} ${queue} ${this.#subscriptions}\r\n`.replace('  ', ' '))
  }

  publish(message: Message): void {
    this.#socket.write(written(message))
  }

  /** Resolves when the server has read all that was written, and we all that it had sent before. */
  async flush(): Promise<void> {
    const wanted = this.#pongs + 1
    this.#socket.write('PING\r\n')
    await until('the server answers a ping', () => this.#pongs >= wanted)
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    for (const operation of this.#operations.read(chunk)) {
      if (operation.op === 'other') {
        if (operation.line === 'PING') this.#socket.write('PONG\r\n')
        if (operation.line === 'PONG') this.#pongs += 1
        if (operation.line.startsWith('-ERR')) throw new Error(operation.line)
      } else if (operation.op === 'MSG') {
        this.heard.push(operation.message)
        this.#take(operation.message)
      }
    }
  }
}
