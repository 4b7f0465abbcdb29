import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessPlugin, AccessRequest } from '../plugins/plugin.ts'
import { escapePath, normalizePath } from '../routing/normalize-path.ts'
import type { Match } from '../routing/router.ts'
import { upstreamPath } from '../routing/upstream-path.ts'
import { type Answer, kongError, type RequestIdentity, sendAnswer } from '../server/answer.ts'
import type { Handler } from '../server/http-server.ts'
import type { GatewayLog } from '../server/log.ts'
import { newRequestId } from '../server/request-id.ts'
import { type RequestTarget, requestTarget } from '../server/request-target.ts'
import type { UpgradeSocket } from '../server/upgrade-socket.ts'
import { Exchange } from './exchange.ts'
import type { Generation } from './generation.ts'
import { closing, demandHttps, refuseUnsupported } from './refuse.ts'
import { upstreamRequestHeaders } from './request-headers.ts'
import { RequestView } from './request-view.ts'
import { responsePhase } from './response-phase.ts'
import type { ProxyRoute, ProxyTable } from './table.ts'
import type { Visitors } from './visitors.ts'

interface Incoming {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The client's connection, when it wants to speak WebSocket on it. */
  readonly upgrade: UpgradeSocket | undefined
  readonly request: RequestIdentity
  readonly log: GatewayLog
}

/** An answer instead of the upstream's; a promise only where a plugin has to wait: most requests need none. */
type Outcome = Answer | undefined | Promise<Answer | undefined>

/**
 * The way of a request: target, route, plugins, upstream. Whatever fails before the upstream refuses the request.
 * `current` tells the table that new requests use; each keeps the one it began with until its end. `visitors`: absent = anybody.
 */
export function proxyHandler(current: () => Generation, log: GatewayLog, visitors?: Visitors): Handler {
  return (req, res, upgrade) => {
    const request: RequestIdentity = { id: newRequestId(), startedAt: performance.now(), respond: undefined }
    const conclude = (refusal: Answer | undefined) => {
      if (refusal !== undefined) sendAnswer(res, refusal, request)
    }
    const fail = (error: unknown) => {
      log.error({ requestId: request.id, err: error instanceof Error ? error.stack : String(error) }, 'request failed')
      try {
        if (res.headersSent) res.destroy()
        else sendAnswer(res, kongError(500, 'An unexpected error occurred', request.id), request)
      } catch {
        // Nobody is behind this now: it would end the process.
        res.destroy()
      }
    }
    try {
      const table = current().tableFor(res, upgrade !== undefined)
      const outcome = handle(table, { req, res, upgrade, request, log }, visitors)
      if (outcome instanceof Promise) void outcome.then(conclude).catch(fail)
      else conclude(outcome)
    } catch (error) {
      fail(error)
    }
  }
}

function handle(
  { router, unmatchedResponders, hosts }: ProxyTable,
  incoming: Incoming,
  visitors: Visitors | undefined,
): Outcome {
  const { req, res, request, log } = incoming
  if (unmatchedResponders.length > 0) {
    const viewUnmatched = () => new RequestView(req, request.id, req.url ?? '', undefined)
    request.respond = responsePhase(unmatchedResponders, viewUnmatched, log)
  }
  const unsupported = refuseUnsupported(req, request.id)
  if (unsupported !== undefined) return unsupported
  const target = requestTarget(req)
  const path = target && normalizePath(target.rawPath)
  if (target === undefined || path === undefined) return closing(400, 'Bad request', request.id)
  const misdirected = visitors?.refuseHost(target.host, hosts, request.id)
  if (misdirected !== undefined) return misdirected

  const match = router.match(req, target, path)
  if (match === undefined) return kongError(404, 'no Route matched with those values', request.id)
  const { value: route } = match
  if (route.httpsOnly !== undefined) return demandHttps(route.httpsOnly, target, request.id)

  const foreign = route.admitsPages ? undefined : visitors?.refusePage(req, hosts, request.id)
  if (foreign !== undefined) return foreign

  const { plugins } = route
  const view = plugins.length > 0 ? new RequestView(req, request.id, path, route.backend.service.name) : undefined
  request.respond =
    view !== undefined && route.responders.length > 0 ? responsePhase(route.responders, () => view, log) : undefined
  if (view === undefined) return forward(incoming, { target, path, match }, undefined)
  const asked = askPlugins(plugins, view)
  if (asked === undefined) return forward(incoming, { target, path, match }, view)
  if (!(asked instanceof Promise)) return asked
  return asked.then(refusal => {
    if (refusal !== undefined || res.destroyed) return refusal
    return forward(incoming, { target, path, match }, view)
  })
}

/** Where a request goes. */
interface Way {
  readonly target: RequestTarget
  /** Normalized. */
  readonly path: string
  readonly match: Match<ProxyRoute>
}

function forward(incoming: Incoming, { target, path, match }: Way, view: RequestView | undefined): undefined {
  const { req, request } = incoming
  const { value: route, prefix } = match
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
  if (view !== undefined) for (const plugin of route.plugins) plugin.forward?.(call, view)
  new Exchange({
    ...incoming,
    backend,
    path: call.path + call.query,
    headers: call.headers,
    host: route.preserveHost && target.authority !== '' ? target.authority : undefined,
    maxBodyBytes: route.maxBodyBytes,
  })
}

/** The first refusal, from the plugin at `first` on. */
function askPlugins(plugins: readonly AccessPlugin[], request: AccessRequest, first = 0): Outcome {
  for (let i = first; i < plugins.length; i++) {
    const answer = plugins[i]?.access(request)
    if (answer instanceof Promise) return answer.then(late => late ?? askPlugins(plugins, request, i + 1))
    if (answer !== undefined) return answer
  }
  return undefined
}
