import type { IncomingMessage, ServerResponse } from 'node:http'
import { isRequestId } from '@tsmicro/kong-plugins/apikey-auth'
import type { AccessPlugin, AccessRequest } from '../plugins/plugin.ts'
import { escapePath, normalizePath } from '../routing/normalize-path.ts'
import { upstreamPath } from '../routing/upstream-path.ts'
import { type Answer, kongError, type RequestIdentity, sendAnswer } from '../server/answer.ts'
import { headerValues } from '../server/header-values.ts'
import type { GatewayLog } from '../server/log.ts'
import { newRequestId } from '../server/request-id.ts'
import { requestTarget } from '../server/request-target.ts'
import { Exchange } from './exchange.ts'
import type { Generation } from './generation.ts'
import { refuseUnsupported } from './refuse.ts'
import { upstreamRequestHeaders } from './request-headers.ts'
import type { ProxyTable } from './table.ts'

/**
 * The way of a request: target, route, plugins, upstream. Whatever fails before the upstream refuses the request.
 * `current` tells the table that new requests use; each keeps the one it began with until its end.
 */
export function proxyHandler(current: () => Generation, log: GatewayLog) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const request: RequestIdentity = { id: newRequestId(), startedAt: performance.now() }
    try {
      const refusal = await handle(current().tableFor(res), log, request, req, res)
      if (refusal !== undefined) sendAnswer(res, refusal, request)
    } catch (error) {
      log.error({ requestId: request.id, err: error instanceof Error ? error.stack : String(error) }, 'request failed')
      if (res.headersSent) res.destroy()
      else sendAnswer(res, kongError(500, 'An unexpected error occurred', request.id), request)
    }
  }
}

async function handle(
  { router }: ProxyTable,
  log: GatewayLog,
  request: RequestIdentity,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<Answer | undefined> {
  const unsupported = refuseUnsupported(req, request.id)
  if (unsupported !== undefined) return unsupported
  const target = requestTarget(req)
  const path = target && normalizePath(target.rawPath)
  if (target === undefined || path === undefined) return kongError(400, 'Bad request', request.id)

  const match = router.match(req.method ?? '', target.host, path)
  if (match === undefined) return kongError(404, 'no Route matched with those values', request.id)
  const { value: route, prefix } = match
  if (route.httpsOnly) {
    const upgrade = { connection: 'Upgrade', upgrade: 'TLS/1.2, HTTP/1.1' }
    return kongError(426, 'Please use HTTPS protocol', request.id, upgrade)
  }

  const told: string[] = []
  if (route.plugins.length > 0) {
    const view = {
      valuesOf: (name: string) => headerValues(req, name),
      path: target.rawPath,
      tellService: (name: string, value: string) => void told.push(name, value),
      requestId: clientRequestId(req) ?? request.id,
    }
    const refusal = await askPlugins(route.plugins, view)
    if (refusal !== undefined) return refusal
    if (res.destroyed) return undefined
  }

  const stripped = route.stripPath ? prefix : undefined
  const { backend } = route
  const forwarded = {
    target,
    requestId: request.id,
    strippedPrefix: stripped === undefined || stripped === '/' ? undefined : escapePath(stripped),
    hidden: route.hiddenHeaders,
  }
  const joined = upstreamPath({ base: backend.service.path, path, stripped, stripPath: route.stripPath })
  const call = {
    method: req.method ?? '',
    path: escapePath(joined),
    query: target.query,
    headers: upstreamRequestHeaders(req, forwarded).concat(told),
  }
  for (const plugin of route.plugins) plugin.forward?.(call)
  new Exchange({
    req,
    res,
    backend,
    path: call.path + call.query,
    headers: call.headers,
    host: route.preserveHost && target.authority !== '' ? target.authority : undefined,
    request,
    log,
  })
  return undefined
}

async function askPlugins(plugins: readonly AccessPlugin[], request: AccessRequest): Promise<Answer | undefined> {
  for (const plugin of plugins) {
    const answer = await plugin.access(request)
    if (answer !== undefined) return answer
  }
  return undefined
}

function clientRequestId(req: IncomingMessage): string | undefined {
  const value = req.headers['x-request-id']
  return typeof value === 'string' && isRequestId(value) ? value : undefined
}
