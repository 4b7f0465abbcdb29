import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Consumer } from '@tsmicro/kong-plugins/apikey-auth'
import { isRequestId } from '@tsmicro/kong-plugins/shared'
import type { AccessRequest } from '../plugins/plugin.ts'
import { clientAddress } from '../server/client-address.ts'
import { headerValues } from '../server/header-values.ts'
import { requestTarget } from '../server/request-target.ts'

/** A request as plugins see it. Made only for those that have plugins to ask. */
export class RequestView implements AccessRequest {
  readonly gatewayRequestId: string
  readonly path: string
  readonly service: string | undefined
  consumer?: Consumer
  readonly #req: IncomingMessage

  constructor(req: IncomingMessage, gatewayRequestId: string, path: string, service: string | undefined) {
    this.#req = req
    this.gatewayRequestId = gatewayRequestId
    this.path = path
    this.service = service
  }

  get method(): string {
    return this.#req.method ?? ''
  }

  get requestId(): string {
    const value = this.#req.headers['x-request-id']
    return typeof value === 'string' && isRequestId(value) ? value : this.gatewayRequestId
  }

  get sentPath(): string {
    const url = this.#req.url ?? ''
    if (!url.startsWith('/')) return requestTarget(this.#req)?.rawPath ?? ''
    const mark = url.indexOf('?')
    return mark === -1 ? url : url.slice(0, mark)
  }

  get clientAddress(): string {
    return clientAddress(this.#req)
  }

  get socket(): Socket {
    return this.#req.socket
  }

  headerValues(name: string): readonly string[] {
    return headerValues(this.#req, name)
  }
}
