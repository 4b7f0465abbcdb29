import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** To the server, or from it. */
export type Direction = 'to' | 'from'

/** A network path to a server that can be partitioned: one direction or both fall silent, and no connection is closed. */
export interface Link extends AsyncDisposable {
  /** The server's address with the link's port. */
  readonly url: string
  cut(...directions: Direction[]): void
  /** What was held back arrives late, as TCP repeats it after a partition. */
  heal(): void
}

export async function openLink(target: string): Promise<Link> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  const cut = new Set<Direction>()
  const held: (() => void)[] = []
  const join = (source: Socket, sink: Socket, direction: Direction) => {
    const pass = (arrive: () => void) => void (cut.has(direction) ? held.push(arrive) : arrive())
    sockets.add(source)
    source.on('error', () => {})
    source.on('data', chunk => pass(() => void sink.write(chunk)))
    source.on('close', () => {
      sockets.delete(source)
      pass(() => void sink.destroy())
    })
  }
  const server = createServer(near => {
    const far = connect(Number(port), hostname)
    join(near, far, 'to')
    join(far, near, 'from')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    cut: (...directions) => directions.forEach(direction => void cut.add(direction)),
    heal() {
      cut.clear()
      for (const arrive of held.splice(0)) arrive()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
