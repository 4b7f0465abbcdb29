import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'

export const GENERATORS = ['uuid', 'uuid#counter', 'tracker'] as const
export type GeneratorName = (typeof GENERATORS)[number]

export type Generator = (socket: Socket) => string

/**
 * Kong's ways to make an id:
 * - `uuid`: a UUID for each
 * - `uuid#counter`: one UUID and a counter, which begins at 1
 * - `tracker`: `ip-port-pid-connection-requests-seconds` of the gateway; connections are numbered, and their requests counted, as
 *   they come to this plugin
 */
export function generator(name: GeneratorName): Generator {
  if (name === 'uuid') return () => randomUUID()
  return name === 'tracker' ? tracker() : uuidCounter()
}

function uuidCounter(): Generator {
  const uuid = randomUUID()
  let counter = 0
  return () => {
    counter += 1
    return `${uuid}#${counter}`
  }
}

function tracker(): Generator {
  const connections = new WeakMap<Socket, { readonly serial: number; requests: number }>()
  let serial = 0
  return socket => {
    let connection = connections.get(socket)
    if (connection === undefined) {
      serial += 1
      connection = { serial, requests: 0 }
      connections.set(socket, connection)
    }
    connection.requests += 1
    const place = `${socket.localAddress}-${socket.localPort}-${process.pid}`
    return `${place}-${connection.serial}-${connection.requests}-${(Date.now() / 1000).toFixed(3)}`
  }
}
