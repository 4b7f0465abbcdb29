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

/** The first port that the system gives to outgoing connections and to whoever listens on port 0. */
function firstEphemeral(): number {
  if (process.platform !== 'linux') return 0
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10)
  } catch {
    return 0
  }
}

/**
 * A TCP port of 127.0.0.1 that was free a moment ago. On Linux it is below those that the system itself gives away, to each
 * outgoing connection of anybody, too: it stays free until somebody else asks for it by its number. Bind at once all the same, and
 * try again when that fails.
 * @example const port = await freePort()
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const count = firstEphemeral() - LOWEST
  for (let attempt = 0; count > 1000 && attempt < ATTEMPTS; attempt++) {
    const port = await listen(LOWEST + Math.floor(Math.random() * count), host)
    if (port !== undefined) return port
  }
  const port = await listen(0, host)
  if (port === undefined) throw new Error(`no free TCP port on ${host}`)
  return port
}

/** Whether `port` of `host` can be bound right now. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await listen(port, host)) !== undefined
}

/** `preferred` if it can be bound right now, else a free port. */
export async function preferPort(preferred: number | undefined, host = '127.0.0.1'): Promise<number> {
  return preferred !== undefined && (await isPortFree(preferred, host)) ? preferred : freePort(host)
}
