import { connect } from 'node:net'
import { POST_BYTES } from '../traffic.ts'

const STEP_MS = 250
const STEP_BYTES = 64

/**
 * A client that sends the body of a `POST` in drips, from its beginning to its end and again.
 *
 * @param request with a body of `POST_BYTES` bytes
 * @returns ends it
 */
export function sendSlowly(port: number, request: Buffer, onFailure: (error: Error) => void): () => void {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  const head = request.length - POST_BYTES
  let sent = 0
  const step = () => {
    const end = sent === 0 ? head : Math.min(request.length, sent + STEP_BYTES)
    if (sent < end) socket.write(request.subarray(sent, end))
    sent = end
  }
  const timer = setInterval(step, STEP_MS)
  socket.on('data', chunk => {
    if (sent < request.length || !chunk.subarray(0, 12).equals(OK)) onFailure(wrong(chunk))
    sent = 0
  })
  const end = () => {
    clearInterval(timer)
    socket.removeAllListeners('close').destroy()
  }
  socket.on('error', onFailure)
  socket.on('close', () => onFailure(new Error('the proxy closed the connection of a slow sender')))
  return end
}

const OK = Buffer.from('HTTP/1.1 200')

const wrong = (chunk: Buffer) => new Error(`a slow sender was answered: ${chunk.subarray(0, 200).toString('latin1')}`)
