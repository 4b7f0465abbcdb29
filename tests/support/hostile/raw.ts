import { connect } from 'node:net'

/** Longer than any server waits for the rest of a request. */
const LONGEST_MS = 60_000

/** How a server reacted to some bytes: the statuses it sent until it closed the connection or the first answer was complete. */
export interface RawAnswer {
  /** Of the first answer; undefined = the connection was closed without one. */
  readonly status: number | undefined
  readonly text: string
}

/** Sends bytes unchanged on a new connection, and reads the first answer. */
export function sendRaw(url: string, bytes: string | Uint8Array): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  const socket = connect(Number(port), hostname, () => socket.write(bytes))
  let text = ''
  const done = () => {
    resolve({ status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]) || undefined, text })
    socket.destroy()
  }
  socket.setTimeout(LONGEST_MS, () => {
    socket.destroy()
    reject(new Error('the server neither answered nor closed the connection'))
  })
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
    if (isComplete(text)) done()
  })
  // A reset is a refusal, too.
  socket.on('error', done).on('close', done)
  return promise
}

function isComplete(text: string): boolean {
  const [head, body] = text.split(/\r\n\r\n([\s\S]*)/)
  if (head === undefined || body === undefined) return false
  const length = /^content-length: (\d+)$/im.exec(head)?.[1]
  return length === undefined ? body.endsWith('0\r\n\r\n') : body.length >= Number(length)
}
