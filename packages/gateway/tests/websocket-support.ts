import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TestServer, tcpUpstream, until } from './support.ts'

/** A client's handshake, for tests that send bytes to the gateway. */
export function handshake(path = '/', more = ''): string {
  const fields = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${fields}${more}\r\n`
}

/** The upstream's answer that switches to WebSocket. */
export function switching(key: string, more = ''): string {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
  return `HTTP/1.1 101 Switching Protocols\r\n${fields}Sec-WebSocket-Accept: ${accept}\r\n${more}\r\n`
}

/** An upstream that switches protocols with the given answer, and then hands its connection over. */
export async function upgradingUpstream(onUpgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void) {
  const sockets = new Set<Duplex>()
  const requests: IncomingMessage[] = []
  const server = createServer((req, res) => {
    requests.push(req)
    req.resume().on('end', () => res.writeHead(200, { 'x-plain': 'yes' }).end('no WebSocket'))
  })
  server.on('upgrade', (req, socket, head) => {
    requests.push(req)
    sockets.add(socket.on('error', () => {}))
    onUpgrade(req, socket, head)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const authority = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const dispose = async () => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  }
  return { authority, requests, [Symbol.asyncDispose]: dispose }
}

/** Switches protocols, and hands over the connection for raw bytes. */
export function rawTunnelUpstream(onTunnel: (socket: Socket) => void): Promise<TestServer> {
  return tcpUpstream(socket => {
    let head = ''
    const onData = (chunk: Buffer) => {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      socket.off('data', onData).pause()
      socket.unshift(Buffer.from(head.slice(end + 4), 'latin1'))
      socket.write(switching('dGhlIHNhbXBsZSBub25jZQ=='))
      onTunnel(socket)
    }
    socket.on('data', onData)
  })
}

/** A client after a successful handshake, whose answer has already been read. */
export async function tunnelClient(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  let head = ''
  const onData = (chunk: Buffer) => {
    head += chunk.toString('latin1')
  }
  socket.on('data', onData).write(handshake())
  await until(() => head.includes('\r\n\r\n') || socket.destroyed, 'the handshake is answered')
  if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`no WebSocket: ${head}`)
  socket.off('data', onData).pause()
  socket.unshift(Buffer.from(head.slice(head.indexOf('\r\n\r\n') + 4), 'latin1'))
  return socket
}

/** Makes a text frame of up to 65,535 bytes, as a server sends it. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff]
  return Buffer.concat([Buffer.from([0x81, ...length]), payload])
}

/** Calls back with each complete frame of a client. Supports what Node's client sends: masked, unfragmented, below 64 KiB. */
export function readFrames(socket: Duplex, onFrame: (opcode: number, payload: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const short = (rest[1] ?? 0) & 0x7f
      const start = short === 126 ? 8 : 6
      if (rest.length < start) return
      const length = short === 126 ? rest.readUInt16BE(2) : short
      if (rest.length < start + length) return
      const mask = rest.subarray(start - 4, start)
      const payload = Buffer.from(rest.subarray(start, start + length).map((byte, i) => byte ^ (mask[i % 4] ?? 0)))
      const opcode = (rest[0] ?? 0) & 0x0f
      rest = rest.subarray(start + length)
      onFrame(opcode, payload)
    }
  })
}
