import { connect, createServer, type Socket } from 'node:net'
import { type Operation, Operations } from './protocol.ts'

/** Sits between one side and its nats-server, and reports what each of them sends. */
export interface Proxy extends AsyncDisposable {
  readonly url: string
}

/** @param tell is called with each operation, in order; `up` is what goes to the server */
export async function openProxy(
  url: string,
  tell: (direction: 'up' | 'down', operation: Operation) => void,
): Promise<Proxy> {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  const join = (from: Socket, to: Socket, direction: 'up' | 'down') => {
    const operations = new Operations()
    sockets.add(from)
    from.on('error', () => {})
    from.on('close', () => to.destroy())
    from.on('data', chunk => {
      for (const operation of operations.read(chunk)) tell(direction, operation)
      to.write(chunk)
    })
  }
  const server = createServer(near => {
    const far = connect(Number(port), hostname)
    join(near, far, 'up')
    join(far, near, 'down')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const listening = typeof address === 'object' && address ? address.port : 0
  return {
    url: `nats://127.0.0.1:${listening}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
