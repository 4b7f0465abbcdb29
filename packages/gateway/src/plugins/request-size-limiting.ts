import { kongError } from '../server/answer.ts'
import type { PluginKind } from './plugin.ts'

const UNITS = { megabytes: 1024 ** 2, kilobytes: 1024, bytes: 1 }

/**
 * Refuses long request bodies: at once if their Content-Length is too high, otherwise where they become too long. Config:
 * - `allowed_payload_size` (128) and `size_unit` (megabytes, of 1024 × 1024 bytes): megabytes, kilobytes or bytes
 * - `require_content_length` (false): answers 411 to requests, even without a body, that have neither a Content-Length nor chunks
 */
export const requestSizeLimiting: PluginKind = {
  name: 'request-size-limiting',
  priority: 951,
  configure: config => {
    const size = config.number('allowed_payload_size', 128, { min: 0, max: 2 ** 31, integer: true })
    const maxBodyBytes = size * UNITS[config.oneOf('size_unit', ['megabytes', 'kilobytes', 'bytes'], 'megabytes')]
    const requireLength = config.boolean('require_content_length', false)
    return {
      maxBodyBytes,
      access(request) {
        const [length] = request.headerValues('content-length')
        if (length === undefined) {
          if (!requireLength || request.headerValues('transfer-encoding').length > 0) return undefined
          return kongError(411, 'A valid Content-Length header is required')
        }
        if (Number(length) <= maxBodyBytes) return undefined
        // A client that waits for 100 Continue before it sends the body is told that its expectation fails.
        const status = request.headerValues('expect').length > 0 ? 417 : 413
        return kongError(status, 'Request size limit exceeded')
      },
    }
  },
}
