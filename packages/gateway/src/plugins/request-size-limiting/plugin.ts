import type { Section } from '../../config/section.ts'
import { type Answer, kongError } from '../../server/answer.ts'
import type { AccessPlugin, AccessRequest, PluginKind } from '../plugin.ts'

const UNITS = { megabytes: 1024 ** 2, kilobytes: 1024, bytes: 1 }

/**
 * Refuses long request bodies: by their Content-Length at once, others where they become too long. Config:
 * - `allowed_payload_size` (128) and `size_unit` (megabytes, of 1024 × 1024 bytes): megabytes, kilobytes or bytes
 * - `require_content_length` (false): 411 for requests, even without a body, that have neither a Content-Length nor chunks
 */
export const requestSizeLimiting: PluginKind = {
  name: 'request-size-limiting',
  priority: 951,
  configure: config => new RequestSizeLimiting(config),
}

class RequestSizeLimiting implements AccessPlugin {
  readonly hiddenHeaders = []
  readonly maxBodyBytes: number
  readonly #requireLength: boolean

  constructor(config: Section) {
    const size = config.number('allowed_payload_size', 128, { min: 0, max: 2 ** 31, integer: true })
    this.maxBodyBytes = size * UNITS[config.oneOf('size_unit', ['megabytes', 'kilobytes', 'bytes'], 'megabytes')]
    this.#requireLength = config.boolean('require_content_length', false)
  }

  access(request: AccessRequest): Answer | undefined {
    const [length] = request.headerValues('content-length')
    if (length === undefined) {
      const missing = this.#requireLength && request.headerValues('transfer-encoding').length === 0
      return missing ? refuse(411, 'A valid Content-Length header is required', request) : undefined
    }
    if (Number(length) <= this.maxBodyBytes) return undefined
    // A client that asks before it sends the body is told that its expectation fails.
    const status = request.headerValues('expect').length > 0 ? 417 : 413
    return refuse(status, 'Request size limit exceeded', request)
  }

  async close(): Promise<void> {}
}

function refuse(status: number, message: string, { gatewayRequestId }: AccessRequest): Answer {
  return kongError(status, message, gatewayRequestId)
}
