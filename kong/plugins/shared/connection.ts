import { isGatewayHeader } from './identity.ts'

/** Not names of fields, or fields that say where a message ends or belongs, which nginx has already used. */
const KEPT = ['close', 'keep-alive', 'upgrade', 'host', 'content-length', 'transfer-encoding']

/**
 * Removes the fields that a client names in `Connection` (RFC 9110, 7.6.1), and the names. Kong does so only after the plugins, which
 * would also remove what they have set and signed. Returns whether there were any such fields.
 */
export function removeNamedFields(connection: readonly string[]): boolean {
  if (connection.length === 0) return false
  ngx.req.clear_header('connection')
  let removed = false
  for (const value of connection) {
    let name = ''
    for (let i = 0; i <= value.length; i++) {
      const char = i === value.length ? ',' : value.charAt(i)
      if (char === ' ' || char === '\t') continue
      if (char !== ',') {
        name += char
        continue
      }
      if (isRemoved(name.toLowerCase())) {
        ngx.req.clear_header(name)
        removed = true
      }
      name = ''
    }
  }
  return removed
}

/** The gateway's own fields stay: the plugins have already removed what a client had in them. */
function isRemoved(name: string): boolean {
  return name !== '' && !KEPT.includes(name) && !isGatewayHeader(name)
}
