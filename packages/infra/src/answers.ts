import { connect } from 'node:net'

/**
 * Whether a server on 127.0.0.1 says anything at all within a time, an error included, or ends the connection: a process that
 * hangs does neither, although the kernel accepts connections in its name. Never rejects.
 * @param greeting what to say first; empty for servers that speak first
 */
export function answers(port: number, greeting: Buffer, timeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      if (greeting.length > 0) socket.write(greeting)
    })
    const end = (result: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
    const timer = setTimeout(end, timeoutMs, false)
    socket.once('data', () => end(true))
    socket.once('end', () => end(true))
    socket.on('error', () => end(false))
  })
}

/** What a client says to find out whether there is TLS: answered by a letter before anybody is asked who he is. */
export const POSTGRES_GREETING = Buffer.from('0000000804d2162f', 'hex')
export const REDIS_GREETING = Buffer.from('PING\r\n')
/** The server speaks first. */
export const NATS_GREETING = Buffer.alloc(0)
/** OP_MSG with `{ hello: 1, $db: 'admin' }`, which is open to everybody: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol */
export const MONGO_GREETING = opMsg(
  Buffer.concat([Buffer.from('\x10hello\0\x01\0\0\0', 'latin1'), Buffer.from('\x02$db\0\x06\0\0\0admin\0', 'latin1')]),
)

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
