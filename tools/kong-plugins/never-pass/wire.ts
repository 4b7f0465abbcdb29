import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends bytes on a new connection, and reads one answer. Its status is 0 if the connection was closed, or silent, without one. */
export async function exchange(port: number, bytes: string, silenceMs = 20_000): Promise<Answer> {
  return parse(await readAll(port, bytes, silenceMs, isWhole))
}

/** Sends bytes, and reads until the connection is closed, is silent for too long, or `isEnough` is true. */
export async function readAll(
  port: number,
  bytes: string,
  silenceMs = 20_000,
  isEnough: (text: string) => boolean = () => false,
): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk
    if (isEnough(text)) socket.destroy()
  })
  // A client that is refused while it is still sending may see a reset. What has arrived before that counts.
  socket.on('error', () => {}).setTimeout(silenceMs, () => socket.destroy())
  socket.write(bytes, 'latin1')
  await once(socket, 'close')
  return text
}

/** Whether the body has the length that the header fields announce. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  const length = end !== -1 && /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, end + 2))?.[1]
  return Boolean(length) && text.length >= end + 4 + Number(length)
}

function parse(text: string): Answer {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end === -1 ? undefined : end).split('\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0)
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return { status, headers, body: end === -1 ? '' : text.slice(end + 4) }
}

/** Returns the status and, if there is one, the platform's error code: `401 API_KEY_INVALID`. */
export function outcome({ status, body }: Answer): string {
  const error = jsonOf(body)?.error
  return typeof error === 'string' ? `${status} ${error}` : String(status)
}

export function jsonOf(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** A connection that is used for one request after another, and reopened if the server has closed it. */
export class KeptConnection {
  readonly #port: number
  #socket: Socket | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** The status is 0 if the connection was closed without an answer. */
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
