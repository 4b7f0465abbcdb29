import { configError } from '../../config/config-error.ts'
import type { Section } from '../../config/section.ts'
import { HeaderList } from '../../server/header-list.ts'
import type { AccessPlugin, AccessRequest, ForwardedCall, PluginKind } from '../plugin.ts'
import { GENERATORS, type Generator, generator } from './generators.ts'

/**
 * Gives each request an id, unless it has one. Config:
 * - `header_name` (Kong-Request-ID)
 * - `generator` (uuid#counter): uuid, uuid#counter or tracker
 * - `echo_downstream` (false): tells the client too, on every answer
 */
export const correlationId: PluginKind = {
  name: 'correlation-id',
  priority: 100_001,
  configure: config => new CorrelationId(config),
}

class CorrelationId implements AccessPlugin {
  readonly hiddenHeaders = []
  readonly #name: string
  readonly #generate: Generator
  readonly #echo: boolean
  /** Those that were made here: what the client sent goes on as it is. */
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
    // Where no route matched, nobody was asked for access.
    const id = this.#made.get(request) ?? (this.#sent(request) || this.#make(request))
    headers.set(this.#name, id)
  }

  async close(): Promise<void> {}

  #sent(request: AccessRequest): string {
    return request.headerValues(this.#name.toLowerCase())[0] ?? ''
  }

  #make(request: AccessRequest): string {
    const id = this.#generate(request.socket)
    this.#made.set(request, id)
    return id
  }
}
