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

/**
 * A TCP port of 127.0.0.1 that was free a moment ago. Somebody else may take it before you do: bind at once, and try again when that fails.
 * @example const port = await freePort()
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
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
