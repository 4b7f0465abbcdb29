import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

function listen(port: number, host: string): Promise<number | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.unref()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address()
      const bound = typeof address === 'object' && address !== null ? address.port : undefined
      server.close(() => resolve(bound))
    })
  })
}

const LOWEST = 10_000
const ATTEMPTS = 50

/** The first port that the system assigns to outgoing connections and to listeners on port 0, or 0 if it cannot be known. */
function firstEphemeral(): number {
  if (process.platform !== 'linux') return 0
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10)
  } catch {
    return 0
  }
}

function reserveName(name: string): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(true)
  const holder = createServer(socket => socket.destroy())
  return new Promise(resolve => {
    holder.once('error', () => resolve(false))
    holder.listen(`\0${name}`, () => resolve(true))
    // Held as long as the process lives, without keeping it alive.
    holder.unref()
  })
}

/**
 * Reserves a port for this process among all processes that reserve theirs, and checks that no other program uses it. Without the
 * reservation, another process that starts at the same time would find the port free, too, before the server binds it. Returns false
 * for a port that this process has already reserved.
 *
 * The reservation is a name in Linux's abstract socket namespace. The kernel gives it to one process and takes it back when the
 * process ends, however it ends. Other systems have no such namespace, and only the check remains.
 * @example if (!(await reservePort(8001))) throw new Error('somebody else has 8001')
 */
export async function reservePort(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await reserveName(`tsmicro-port-${port}`)) && (await isPortFree(port, host))
}

/**
 * Finds a free TCP port of 127.0.0.1 and reserves it for this process: see {@link reservePort}. On Linux it is below the ports that
 * the system assigns by itself, even to outgoing connections: it stays free until a program asks for this very number.
 * @example const port = await freePort()
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const count = firstEphemeral() - LOWEST
  for (let attempt = 0; count > 1000 && attempt < ATTEMPTS; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * count)
    if (await reservePort(port, host)) return port
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = await listen(0, host)
    if (port !== undefined && (await reserveName(`tsmicro-port-${port}`))) return port
  }
  throw new Error(`no free TCP port on ${host}`)
}

/** Whether `port` of `host` can be bound right now. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await listen(port, host)) !== undefined
}

/** `preferred` if it can be bound right now, else a free port. */
export async function preferPort(preferred: number | undefined, host = '127.0.0.1'): Promise<number> {
  return preferred !== undefined && (await isPortFree(preferred, host)) ? preferred : freePort(host)
}
