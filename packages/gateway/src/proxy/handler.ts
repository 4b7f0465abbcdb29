import type { IncomingMessage } from 'node:http'
import { type AccessPlugin, AccessRequest } from '../plugins/plugin.ts'
import { escapePath, normalizePath, upstreamPath } from '../routing/paths.ts'
import type { Match } from '../routing/router.ts'
import { type Answer, kongError, newRequestId, nginxError, type RequestIdentity, sendAnswer } from '../server/answer.ts'
import { HeaderList } from '../server/header-fields.ts'
import { MAX_HEADER_FIELDS, MAX_LINE_LENGTH } from '../server/limits.ts'
import { type GatewayLog, stackOf } from '../server/log.ts'
import { type RequestTarget, requestTarget } from '../server/request-target.ts'
import type { Handler } from '../server/upgrade.ts'
import type { AllowedHosts } from './allowed-hosts.ts'
import { Exchange, type Incoming } from './exchange.ts'
import type { Generation } from './generations.ts'
import { upstreamRequestHeaders } from './headers.ts'
import type { ProxyRoute, ProxyTable } from './table.ts'

/** The gateway's own answer, or undefined if the upstream answers. A promise only if a plugin has to wait: most requests need none. */
type Outcome = Answer | undefined | Promise<Answer | undefined>

/**
 * Handles a request: its target, route, plugins and upstream, in this order. A failure before the upstream refuses the request.
 * `current` returns the table for new requests; each request keeps its table until it ends. `allowed`: absent for any host.
 */
export function proxyHandler(current: () => Generation, log: GatewayLog, allowed?: AllowedHosts): Handler {
  return (req, res, upgrade) => {
    const request: RequestIdentity = { id: newRequestId(), startedAt: performance.now(), respond: undefined }
    const conclude = (refusal: Answer | undefined) => {
      if (refusal !== undefined) sendAnswer(res, refusal, request)
    }
    const fail = (error: unknown) => {
      log.error({ requestId: request.id, err: stackOf(error) }, 'request failed')
      try {
        if (res.headersSent) res.destroy()
        else sendAnswer(res, kongError(500, 'An unexpected error occurred'), request)
      } catch {
        // Nobody would catch another error, which would end the process.
        res.destroy()
      }
    }
    try {
      const table = current().tableFor(res, upgrade !== undefined)
      const outcome = handle(table, { req, res, upgrade, request, log }, allowed)
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
  allowed: AllowedHosts | undefined,
): Outcome {
  const { req, res, request, log } = incoming
  if (unmatchedResponders.length > 0) {
    const viewUnmatched = () => new AccessRequest(req, request.id, req.url ?? '', undefined)
    request.respond = responsePhase(unmatchedResponders, viewUnmatched, log)
  }
  const unsupported = refuseUnsupported(req)
  if (unsupported !== undefined) return unsupported
  const target = requestTarget(req)
  const path = target && normalizePath(target.rawPath)
  if (target === undefined || path === undefined) return closing(400, 'Bad request')
  if (req.rawHeaders.length > 2 * MAX_HEADER_FIELDS)
    return kongError(431, 'Too many header fields', { connection: 'close' })
  const misdirected = allowed?.refuseHost(target.named, hosts) ?? allowed?.refuseHost(target.host, hosts)
  if (misdirected !== undefined) return misdirected

  const match = router.match(req, target, path)
  if (match === undefined) return kongError(404, 'no Route matched with those values')
  const { value: route } = match
  if (route.httpsOnly !== undefined) return demandHttps(route.httpsOnly, target)

  const foreign = route.admitsPages ? undefined : allowed?.refusePage(req, hosts)
  if (foreign !== undefined) return foreign

  const { plugins } = route
  if (plugins.length === 0) {
    request.respond = undefined
    return forward(incoming, { target, path, match }, undefined)
  }
  const view = new AccessRequest(req, request.id, path, route.backend.service.name)
  request.respond = route.responders.length > 0 ? responsePhase(route.responders, () => view, log) : undefined
  const answer = accessPhase(plugins, view)
  if (answer === undefined) return forward(incoming, { target, path, match }, view)
  if (!(answer instanceof Promise)) return answer
  return answer.then(refusal => {
    if (refusal !== undefined || res.destroyed) return refusal
    return forward(incoming, { target, path, match }, view)
  })
}

interface RoutedRequest {
  readonly target: RequestTarget
  /** Normalized. */
  readonly path: string
  readonly match: Match<ProxyRoute>
}

function forward(
  incoming: Incoming,
  { target, path, match }: RoutedRequest,
  view: AccessRequest | undefined,
): undefined {
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

/** Returns the answer of the first plugin, from the one at `first` on, that does not let the request pass. */
function accessPhase(plugins: readonly AccessPlugin[], request: AccessRequest, first = 0): Outcome {
  for (let i = first; i < plugins.length; i++) {
    const answer = plugins[i]?.access?.(request)
    if (answer instanceof Promise) return answer.then(late => late ?? accessPhase(plugins, request, i + 1))
    if (answer !== undefined) return answer
  }
  return undefined
}

/** Returns a function that lets the plugins change the header fields of an answer. */
export function responsePhase(
  plugins: readonly AccessPlugin[],
  view: () => AccessRequest,
  log: GatewayLog,
): (headers: string[]) => void {
  return fields => {
    const headers = new HeaderList(fields)
    const request = view()
    for (const plugin of plugins) {
      try {
        plugin.respond?.(request, headers)
      } catch (error) {
        // As in Kong: the request has passed, and its answer is not lost because of a header field.
        log.error({ requestId: request.gatewayRequestId, err: stackOf(error) }, 'a plugin failed on a response')
      }
    }
  }
}

/** Refuses requests that are valid HTTP, but that a proxy should not forward. */
function refuseUnsupported(req: IncomingMessage): Answer | undefined {
  const { headers, method, url = '', httpVersion } = req
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return closing(505, 'HTTP version not supported')
  if (url.length > MAX_LINE_LENGTH) return closing(414, 'URI too long')
  if (method === 'TRACE') return nginxError(405, 'Method not allowed')
  const encoding = headers['transfer-encoding']
  if (encoding !== undefined) {
    // With a Content-Length, requests could be smuggled past a proxy; any other coding would have to be decoded here.
    const ambiguous = headers['content-length'] !== undefined || httpVersion === '1.0'
    if (ambiguous) return closing(400, 'Bad request')
    if (encoding.toLowerCase() !== 'chunked') return closing(501, 'Only the chunked transfer encoding is supported')
  }
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    return nginxError(417, 'Expectation failed')
  }
  return undefined
}

/** The answer of a route for https only: 426, or a redirect to the same URL over https. */
function demandHttps(status: number, { named, rawPath, query }: RequestTarget): Answer {
  if (status !== 426) return { status, headers: { location: `https://${named}${rawPath}${query}` }, body: '' }
  const upgrade = { connection: 'Upgrade', upgrade: 'TLS/1.2, HTTP/1.1' }
  return kongError(426, 'Please use HTTPS protocol', upgrade)
}

/** An answer that closes the connection, because what follows on it may not be what it seems. */
function closing(status: number, message: string): Answer {
  return nginxError(status, message, { connection: 'close' })
}
