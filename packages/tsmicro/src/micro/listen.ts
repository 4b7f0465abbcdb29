import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Bench } from './bench.ts'
import type { ServiceOptions } from './options.ts'
import { isFastifys } from './raw-routes.ts'
import { StartError } from './start-error.ts'

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken, choose another with PORT',
  EACCES: 'the port needs privileges, choose one above 1023 with PORT',
  EADDRNOTAVAIL: 'this machine does not have the address, choose another with HOST',
  ENOTFOUND: 'the host name is unknown, choose another with HOST',
}

/** Opens the HTTP door; resolves to its URL, '' on a bench. @throws {StartError} when the address cannot be used */
export async function listen(
  server: FastifyInstance,
  { name, http = {} }: ServiceOptions,
  bench?: Bench,
): Promise<string> {
  const { host = '127.0.0.1', port = 0 } = http
  try {
    if (bench) await server.ready()
    else await server.listen({ host, port })
  } catch (cause) {
    const hint = HINTS[(cause as NodeJS.ErrnoException).code ?? '']
    if (isFastifys(cause)) throw new StartError(`the HTTP door of ${name}: ${cause.message}`, { cause })
    if (!hint) throw cause
    throw new StartError(`${name} cannot listen on ${host}:${port}: ${hint}`, { cause })
  }
  if (bench) return ''
  const bound = (server.server.address() as AddressInfo).port
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`
}
