import { connect } from 'node:net'

const STEP_MS = 250

/** More than all buffers on the way hold (some MB for each of two connections), so that the proxy has to wait for the reader. */
export const LARGE_BYTES = 8 * 1024 * 1024

/**
 * A client that reads a piece of a large answer now and then.
 *
 * @param request asks for `LARGE_BYTES`
 * @returns ends it
 */
export function readSlowly(port: number, request: Buffer, onFailure: (error: Error) => void): () => void {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  let received = 0
  const ask = () => {
    received = 0
    socket.write(request)
  }
  socket.on('data', chunk => {
    if (received === 0 && !chunk.toString('latin1', 0, 12).startsWith('HTTP/1.1 200'))
      onFailure(new Error(`a slow reader was answered: ${chunk.toString('latin1', 0, 200)}`))
    received += chunk.length
    socket.pause()
    if (received > LARGE_BYTES) ask()
  })
  const timer = setInterval(() => socket.resume(), STEP_MS)
  const end = () => {
    clearInterval(timer)
    socket.removeAllListeners('close').destroy()
  }
  socket.on('connect', ask)
  socket.on('error', onFailure)
  socket.on('close', () => onFailure(new Error('the proxy closed the connection of a slow reader')))
  return end
}
