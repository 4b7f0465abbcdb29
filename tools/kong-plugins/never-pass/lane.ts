import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Answer, parse } from './wire.ts'

/** One connection that is used again and again, one request at a time, and opened anew when the server has closed it. */
export class Lane {
  readonly #port: number
  #socket: Socket | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Status 0: closed without an answer. */
  async send(bytes: string): Promise<Answer> {
    const bodyless = bytes.startsWith('HEAD ')
    const socket = this.#socket?.writable ? this.#socket : await this.#open()
    const { promise, resolve } = Promise.withResolvers<Answer>()
    let text = ''
    const onData = (chunk: string) => {
      text += chunk
      const answer = parse(text)
      const length = answer.headers['content-length']
      if (!text.includes('\r\n\r\n') || (!bodyless && (length === undefined || answer.body.length < Number(length))))
        return
      if (answer.headers.connection === 'close') socket.destroy()
      resolve(answer)
    }
    const onClose = () => resolve(parse(text))
    socket.on('data', onData).on('close', onClose)
    socket.write(bytes, 'latin1')
    const answer = await promise
    socket.off('data', onData).off('close', onClose)
    return answer
  }

  close(): void {
    this.#socket?.destroy()
  }

  async #open(): Promise<Socket> {
    const socket = connect(this.#port, '127.0.0.1').setEncoding('latin1').setNoDelay()
    socket.on('error', () => {}).setTimeout(20_000, () => socket.destroy())
    this.#socket = socket
    await once(socket, 'connect')
    return socket
  }
}
