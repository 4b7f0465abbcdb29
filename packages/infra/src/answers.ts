import { connect } from 'node:net'

/** A server and what to say to it. */
export interface Peer {
  /** Default `127.0.0.1`. */
  readonly host?: string
  readonly port: number
  /** What to say first: empty for servers that speak first, undefined to only connect. */
  readonly greeting?: Buffer
}

/**
 * The first bytes that a server sends, even if they are an error. No bytes if it ends the connection, or if there is no greeting.
 * Undefined if nothing happens within the time: the kernel accepts connections even for a process that hangs. Never rejects.
 */
export function firstReply(
  { host = '127.0.0.1', port, greeting }: Peer,
  timeoutMs: number,
): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const end = (reply?: Buffer) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reply)
    }
    const timer = setTimeout(end, timeoutMs)
    const socket = connect({ host, port }, () => {
      if (greeting === undefined) end(Buffer.alloc(0))
      else socket.write(greeting)
    })
    socket.once('data', end)
    socket.once('end', () => end(Buffer.alloc(0)))
    socket.on('error', () => end())
  })
}

/** Whether a server reacts at all within the time: see {@link firstReply}. Never rejects. */
export async function answers(peer: Peer, timeoutMs: number): Promise<boolean> {
  return (await firstReply(peer, timeoutMs)) !== undefined
}

/** SSLRequest, which asks whether there is TLS. The server answers with one letter before anybody signs in. */
export const POSTGRES_GREETING = Buffer.from('0000000804d2162f', 'hex')
export const REDIS_GREETING = Buffer.from('PING\r\n')
/** The server speaks first. */
export const NATS_GREETING = Buffer.alloc(0)
/** OP_MSG with `{ hello: 1, $db: 'admin' }`, which nobody has to sign in for: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol */
export const MONGO_GREETING = opMsg(Buffer.from('\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0', 'latin1'))

function opMsg(elements: Buffer): Buffer {
  const document = Buffer.concat([uint32(elements.length + 5), elements, Buffer.alloc(1)])
  const body = Buffer.concat([uint32(0), Buffer.alloc(1), document])
  return Buffer.concat([uint32(16 + body.length), uint32(1), uint32(0), uint32(2013), body])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
