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

/** The first port that the system gives to outgoing connections and to whoever listens on port 0; 0 where it does not tell. */
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
    // Held as long as the process lives, but no reason for it to live.
    holder.unref()
  })
}

/**
 * Takes a port for this process among all that choose theirs in this way, and looks whether it is free of everybody else. Between
 * that look and the server's own bind, another process starting at the same time would see it free, too. False for a port that
 * this process has reserved already.
 *
 * The reservation is a name in Linux's abstract socket namespace: the kernel gives it to one process and takes it back when
 * that ends, however it ends. Elsewhere there is no such namespace, and only the look remains.
 * @example if (!(await reservePort(8001))) throw new Error('somebody else has 8001')
 */
export async function reservePort(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await reserveName(`tsmicro-port-${port}`)) && (await isPortFree(port, host))
}

/**
 * A free TCP port of 127.0.0.1, reserved for this process: see {@link reservePort}. On Linux it is below those that the system
 * gives away by itself, to each outgoing connection, too: it stays free until somebody asks for it by its number.
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
