import { hash } from 'node:crypto'
import { configError } from '../../config/config-error.ts'
import type { Section } from '../../config/section.ts'
import type { AccessRequest } from '../plugin.ts'

/** Names a request's sender, as far as counting goes. */
export type SenderOf = (request: AccessRequest) => string

const LIMIT_BY = ['consumer', 'credential', 'ip', 'service', 'header', 'path'] as const
/** A client chooses what its header says; a longer one is kept as its hash. */
const MAX_LENGTH = 64

/**
 * Reads `limit_by` with `header_name` and `path`. What a request does not have is counted by its address; so are consumers and
 * credentials, which no plugin of this gateway tells. Throws `GatewayConfigError`.
 */
export function readSender(config: Section): SenderOf {
  const limitBy = config.oneOf('limit_by', LIMIT_BY, 'consumer')
  const header = config.optionalString('header_name')
  const path = config.optionalString('path')
  if (header !== undefined && !/^[A-Za-z0-9_-]+$/.test(header))
    throw configError(config.at('header_name'), 'is not a header name')
  if (path !== undefined && !path.startsWith('/')) throw configError(config.at('path'), 'must start with /')
  if (limitBy === 'header') return byHeader(config.string('header_name').toLowerCase())
  if (limitBy === 'path') return byPath(config.string('path'))
  if (limitBy === 'service') return request => `service ${request.service}`
  return request => request.clientAddress
}

function byHeader(name: string): SenderOf {
  return request => {
    const [value] = request.headerValues(name)
    if (value === undefined) return request.clientAddress
    return `header ${value.length > MAX_LENGTH ? hash('sha256', value, 'base64url') : value}`
  }
}

function byPath(path: string): SenderOf {
  return request => (request.path === path ? path : request.clientAddress)
}
