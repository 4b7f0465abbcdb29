import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { InfraError, ServerStartError } from './errors.ts'
import type { Server } from './server.ts'

function accepts(host: string, port: number, timeout = 2000): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout })
    const end = (result: boolean) => {
      socket.destroy()
      resolve(result)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    socket.once('timeout', () => end(false))
  })
}

/** Host and port of the first server of a URL list such as `mongodb://u:p@a:27017,b:27018/db`; undefined for `+srv`, which has neither. */
export function firstAddress(url: string, defaultPort: number): { host: string; port: number } | undefined {
  const match = /^(?:([a-z+]+):\/\/)?(?:[^@/]*@)?(\[[^\]]+\]|[^:,/?]+)(?::(\d+))?/i.exec(url)
  if (match?.[2] === undefined || match[1]?.endsWith('+srv') === true) return undefined
  return { host: match[2].replace(/^\[|\]$/g, ''), port: Number(match[3] ?? defaultPort) }
}

/** A server somebody else runs: waits until it accepts connections, and leaves it alone otherwise. */
export async function givenServer(name: string, url: string, defaultPort: number, timeoutMs = 30_000): Promise<Server> {
  const address = firstAddress(url, defaultPort)
  const deadline = Date.now() + timeoutMs
  while (address !== undefined && !(await accepts(address.host, address.port))) {
    if (Date.now() >= deadline)
      throw new ServerStartError(
        `${name} does not answer at ${address.host}:${address.port}, the address that was given`,
      )
    await sleep(100)
  }
  const refuse = (what: string): never => {
    throw new InfraError(`${name} was given by URL: it is not ours to ${what}`)
  }
  return {
    name,
    url,
    source: 'url',
    pid: undefined,
    stop: async () => {},
    kill: () => refuse('kill'),
    restart: async () => refuse('restart'),
    answers: async ms => address === undefined || accepts(address.host, address.port, ms),
    [Symbol.asyncDispose]: async () => {},
  }
}
