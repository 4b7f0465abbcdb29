import { once } from 'node:events'
import { connect } from 'node:net'

/** A response, as far as it concerns who was refused. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends bytes on a connection of their own, and reads one answer. Status 0: closed without one, or none came. */
export async function exchange(port: number, bytes: string, silenceMs = 20_000): Promise<Answer> {
  return parse(await readAll(port, bytes, silenceMs, isWhole))
}

/** Sends bytes and reads until the connection is closed, nothing has come for long, or what has come is enough. */
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
  // Refused while still sending, a client may see a reset: what has come until then counts.
  socket.on('error', () => {}).setTimeout(silenceMs, () => socket.destroy())
  socket.write(bytes, 'latin1')
  await once(socket, 'close')
  return text
}

/** Whether all that its length announces is there. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  const length = end !== -1 && /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, end + 2))?.[1]
  return Boolean(length) && text.length >= end + 4 + Number(length)
}

export function parse(text: string): Answer {
  const end = text.indexOf('\r\n\r\n')
  const [first = '', ...lines] = text.slice(0, end === -1 ? undefined : end).split('\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0)
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return { status, headers, body: end === -1 ? '' : text.slice(end + 4) }
}

/** `401 API_KEY_INVALID`: the status, and the platform's name for the refusal where there is one. */
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
