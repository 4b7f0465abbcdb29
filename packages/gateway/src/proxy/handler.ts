import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessPlugin, AccessRequest } from '../plugins/plugin.ts'
import { escapePath, normalizePath } from '../routing/normalize-path.ts'
import { upstreamPath } from '../routing/upstream-path.ts'
import { type Answer, kongError, type RequestIdentity, sendAnswer } from '../server/answer.ts'
import type { GatewayLog } from '../server/log.ts'
import { newRequestId } from '../server/request-id.ts'
import { requestTarget } from '../server/request-target.ts'
import type { UpgradeSocket } from '../server/upgrade-socket.ts'
import { Exchange } from './exchange.ts'
import type { Generation } from './generation.ts'
import { closing, demandHttps, refuseUnsupported } from './refuse.ts'
import { upstreamRequestHeaders } from './request-headers.ts'
import { RequestView } from './request-view.ts'
import { responsePhase } from './response-phase.ts'
import type { ProxyTable } from './table.ts'

/**
 * The way of a request: target, route, plugins, upstream. Whatever fails before the upstream refuses the request.
 * `current` tells the table that new requests use; each keeps the one it began with until its end.
 */
export function proxyHandler(current: () => Generation, log: GatewayLog) {
  return async (req: IncomingMessage, res: ServerResponse, upgrade?: UpgradeSocket): Promise<void> => {
    const request: RequestIdentity = { id: newRequestId(), startedAt: performance.now(), respond: undefined }
    try {
      const refusal = await handle(current().tableFor(res, upgrade !== undefined), log, request, req, res, upgrade)
      if (refusal !== undefined) sendAnswer(res, refusal, request)
    } catch (error) {
      log.error({ requestId: request.id, err: error instanceof Error ? error.stack : String(error) }, 'request failed')
      if (res.headersSent) res.destroy()
      else sendAnswer(res, kongError(500, 'An unexpected error occurred', request.id), request)
    }
  }
}

async function handle(
  { router, unmatchedResponders }: ProxyTable,
  log: GatewayLog,
  request: RequestIdentity,
  req: IncomingMessage,
  res: ServerResponse,
  upgrade: UpgradeSocket | undefined,
): Promise<Answer | undefined> {
  if (unmatchedResponders.length > 0) {
    const viewUnmatched = () => new RequestView(req, request.id, req.url ?? '', undefined)
    request.respond = responsePhase(unmatchedResponders, viewUnmatched, log)
  }
  const unsupported = refuseUnsupported(req, request.id)
  if (unsupported !== undefined) return unsupported
  const target = requestTarget(req)
  const path = target && normalizePath(target.rawPath)
  if (target === undefined || path === undefined) return closing(400, 'Bad request', request.id)

  const match = router.match(req, target, path)
  if (match === undefined) return kongError(404, 'no Route matched with those values', request.id)
  const { value: route, prefix } = match
  if (route.httpsOnly !== undefined) return demandHttps(route.httpsOnly, target, request.id)

  const { plugins } = route
  const view = plugins.length > 0 ? new RequestView(req, request.id, path, route.backend.service.name) : undefined
  request.respond =
    view !== undefined && route.responders.length > 0 ? responsePhase(route.responders, () => view, log) : undefined
  if (view !== undefined) {
    const refusal = await askPlugins(plugins, view)
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
    headers: upstreamRequestHeaders(req, forwarded),
  }
  if (view !== undefined) for (const plugin of plugins) plugin.forward?.(call, view)
  new Exchange({
    req,
    res,
    backend,
    path: call.path + call.query,
    headers: call.headers,
    host: route.preserveHost && target.authority !== '' ? target.authority : undefined,
    upgrade,
    maxBodyBytes: route.maxBodyBytes,
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
