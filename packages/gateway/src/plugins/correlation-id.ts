import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { configError, type Section } from '../config/section.ts'
import { HeaderList } from '../server/header-fields.ts'
import type { AccessPlugin, AccessRequest, ForwardedCall, PluginKind } from './plugin.ts'

/**
 * Gives each request without an id a new one. Config:
 * - `header_name` (Kong-Request-ID)
 * - `generator` (uuid#counter): uuid, uuid#counter or tracker
 * - `echo_downstream` (false): sends the id to the client too, on every answer
 */
export const correlationId: PluginKind = {
  name: 'correlation-id',
  priority: 100_001,
  configure: config => new CorrelationId(config),
}

class CorrelationId implements AccessPlugin {
  readonly #name: string
  readonly #generate: Generator
  readonly #echo: boolean
  /** The ids that were made here. An id from the client is forwarded as it is. */
  readonly #made = new WeakMap<AccessRequest, string>()

  constructor(config: Section) {
    this.#name = config.optionalString('header_name') ?? 'Kong-Request-ID'
    if (!/^[A-Za-z0-9_-]+$/.test(this.#name)) throw configError(config.at('header_name'), 'is not a header name')
    this.#generate = generator(config.oneOf('generator', GENERATORS, 'uuid#counter'))
    this.#echo = config.boolean('echo_downstream', false)
  }

  access(request: AccessRequest): undefined {
    if (this.#sent(request) === '') this.#make(request)
  }

  forward(call: ForwardedCall, request: AccessRequest): void {
    const id = this.#made.get(request)
    if (id !== undefined) new HeaderList(call.headers).set(this.#name, id)
  }

  respond(request: AccessRequest, headers: HeaderList): void {
    if (!this.#echo) return
    // If no route matched, `access` was not called.
    const id = this.#made.get(request) ?? (this.#sent(request) || this.#make(request))
    headers.set(this.#name, id)
  }

  #sent(request: AccessRequest): string {
    return request.headerValues(this.#name.toLowerCase())[0] ?? ''
  }

  #make(request: AccessRequest): string {
    const id = this.#generate(request.socket)
    this.#made.set(request, id)
    return id
  }
}

const GENERATORS = ['uuid', 'uuid#counter', 'tracker'] as const

type Generator = (socket: Socket) => string

/**
 * Kong's ways to make an id:
 * - `uuid`: a UUID for each request
 * - `uuid#counter`: one UUID, and a counter that starts at 1
 * - `tracker`: `ip-port-pid-connection-requests-seconds` of the gateway. Connections are numbered, and their requests counted, as
 *   they reach this plugin
 */
function generator(name: (typeof GENERATORS)[number]): Generator {
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
