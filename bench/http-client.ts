import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const END_OF_HEAD = '\r\n\r\n'

/**
 * A kept HTTP connection with one request at a time, on a raw socket: a complete HTTP client would use more of the machine than the
 * measured code.
 */
export class HttpConnection {
  readonly #socket: Socket
  #received = ''
  #answered: ((body: string) => void) | undefined
  #failed: (error: Error) => void

  private constructor(socket: Socket, failed: (error: Error) => void) {
    this.#socket = socket
    this.#failed = failed
    socket.setNoDelay(true).setEncoding('latin1')
    socket.on('data', chunk => this.#receive(String(chunk)))
    socket.on('error', error => this.#failed(error))
    socket.on('close', () => this.#failed(new Error('the HTTP server closed a connection')))
  }

  /** @param failed called when the connection breaks or the status of an answer is neither 200 nor 201 */
  static async open(port: number, failed: (error: Error) => void): Promise<HttpConnection> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new HttpConnection(socket, failed)
  }

  send(request: Buffer | string, answered: (body: string) => void): void {
    this.#answered = answered
    this.#socket.write(request)
  }

  /** From now on the connection may be closed by the server. */
  idle(): void {
    this.#failed = () => {}
  }

  close(): void {
    this.idle()
    this.#answered = undefined
    this.#socket.destroy()
  }

  #receive(chunk: string): void {
    this.#received += chunk
    const head = this.#received.indexOf(END_OF_HEAD)
    if (head < 0) return
    const start = head + END_OF_HEAD.length
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#received.slice(0, start))?.[1])
    if (this.#received.length < start + length) return
    const [body, status] = [this.#received.slice(start, start + length), this.#received.slice(9, 12)]
    this.#received = ''
    if (Number.isNaN(length)) this.#failed(new Error('the HTTP server answered without content-length'))
    else if (status === '200' || status === '201') this.#answered?.(body)
    else this.#failed(new Error(`the HTTP server answered ${status}: ${body}`))
  }
}

/** A whole request as it is sent, made once and sent many times. */
export function requestBytes(
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Buffer {
  const fields: Record<string, string> = {
    host: 'bench',
    accept: 'application/json',
    'user-agent': 'bench',
    ...headers,
  }
  if (body !== '') {
    fields['content-type'] = 'application/json'
    fields['content-length'] = String(Buffer.byteLength(body))
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}
