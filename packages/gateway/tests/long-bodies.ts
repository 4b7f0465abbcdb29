import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { upstream } from './support.ts'

const CHUNK = Buffer.alloc(256 * 1024, 'x')

/** A service that takes bodies of any length (`PUT`) and answers how many bytes arrived, and sends them (`GET /?<bytes>`). */
export function longBodies() {
  return upstream((req, res) => {
    if (req.method === 'PUT') {
      let received = 0
      req.on('data', (chunk: Buffer) => {
        received += chunk.length
      })
      req.on('end', () => res.end(String(received)))
      return
    }
    const bytes = Number(req.url?.split('?')[1])
    res.writeHead(200, { 'content-length': bytes })
    pour(res, bytes, () => res.end())
  })
}

/** Sends this many bytes by a method that is repeated while the body is short, and returns how many arrived. */
export async function upload(port: number, bytes: number): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n`)
  pour(socket, bytes, () => {})
  const text = await textOf(socket)
  return Number(text.slice(text.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n0?\r\n.*$/gs, ''))
}

/** Requests this many bytes, and returns how many arrived. */
export async function download(port: number, bytes: number): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /?${bytes} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  let received = 0
  socket.once('data', (head: Buffer) => {
    received = -head.indexOf('\r\n\r\n') - 4
    received += head.length
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
  })
  await once(socket, 'close')
  return received
}

function pour(to: NodeJS.WritableStream, bytes: number, done: () => void): void {
  let left = bytes
  const write = (): void => {
    while (left > 0) {
      const chunk = left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left)
      left -= chunk.length
      if (!to.write(chunk)) return void to.once('drain', write)
    }
    done()
  }
  write()
}

async function textOf(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', chunk => {
    text += chunk.toString('latin1')
  })
  await once(socket, 'close')
  return text
}
