import { removeNamedFields } from '../shared/connection.ts'
import { CONSUMER_ID, CONSUMER_PERMISSIONS, isGatewayHeader, isRequestId } from '../shared/identity.ts'
import { decide, envelopeOf, inspect, PRIORITY, type Refusal } from './core.ts'
import { type Verifiers, verdictOn } from './verification.ts'

export { PRIORITY }
export const VERSION = '0.1.0'

interface Config extends Verifiers {
  readonly anonymous_paths: readonly string[]
  readonly key_names: readonly string[]
  readonly hide_credentials: boolean
  readonly permission: string | undefined
}

/** Lets only requests with a verified API key pass, and tells the service whose key it is. */
export function access(this: unknown, config: Config): void {
  const { anonymous_paths, key_names, hide_credentials, permission } = config
  const [headers, truncated] = ngx.req.get_headers(1000)
  if (truncated !== undefined) {
    kong.response.exit(431, { message: 'Too many header fields' })
    return
  }
  for (const [name] of headers) if (isGatewayHeader(name)) ngx.req.clear_header(name)
  const valuesOf = (name: string): readonly string[] => {
    const value = headers.get(name)
    if (value === undefined) return []
    return typeof value === 'string' ? [value] : value
  }
  const inspection = inspect(
    { path: pathOf(ngx.var.request_uri), valuesOf },
    { anonymousPaths: anonymous_paths, keyNames: key_names },
  )
  if (hide_credentials) for (const name of key_names) ngx.req.clear_header(name)
  removeNamedFields(valuesOf('connection'))
  if (inspection.kind === 'pass') return
  const needed = permission === ngx.null ? undefined : permission
  const decision = inspection.kind === 'refuse' ? inspection : decide(verdictOn(inspection.key, config), needed)
  if (decision.kind !== 'pass') {
    refuse(decision.refusal, valuesOf('x-request-id'))
    return
  }
  ngx.req.set_header(CONSUMER_ID, decision.consumer.id)
  ngx.req.set_header(CONSUMER_PERMISSIONS, decision.consumer.permissions.join(','))
}

function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.substring(0, mark)
}

function refuse(refusal: Refusal, requestIds: readonly string[]): void {
  const [sent] = requestIds
  const id = sent !== undefined && requestIds.length === 1 && isRequestId(sent) ? sent : ngx.var.kong_request_id
  kong.response.exit(refusal.status, envelopeOf(refusal, id), { 'x-request-id': id })
}
