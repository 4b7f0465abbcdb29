import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Target } from '../balancing/balancer.ts'
import type { Upstream } from '../balancing/upstream.ts'
import type { ConfigText } from '../config/load.ts'
import { GatewayConfigError } from '../config/section.ts'
import { listen } from '../server/http-server.ts'
import { type GatewayLog, stackOf } from '../server/log.ts'
import { AdminAccess, type AdminAnswer } from './access.ts'

export interface AdminOptions {
  /** 0 for a free one. */
  readonly port: number
  /** What every request has to send. */
  readonly token: string
  /** Returns the upstreams of the config in use. */
  readonly upstreams: () => ReadonlyMap<string, Upstream>
  /** Replaces the config in use. */
  readonly load: (config: ConfigText) => Promise<void>
  /** Sends new requests for a name of the config to another address. Throws a `TypeError` if one of them is not `host:port`. */
  readonly move: (name: string, address: string) => Promise<void>
  /** Returns the number of requests in progress that began before the last change. */
  readonly earlier: () => number
  readonly log: GatewayLog
}

export interface Admin {
  readonly url: string
  close(): Promise<void>
}

/**
 * Starts the part of Kong's Admin API that DB-less operation needs, for clients with the token. Throws an `Error` if the port cannot
 * be used, and a `TypeError` if the token is malformed.
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const access = new AdminAccess(options.token)
  const serve: RequestListener = async (req, res) => {
    const send = ({ status, body, headers }: AdminAnswer) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      // The unread rest of the request would be taken for the next one.
      if (!req.complete) res.shouldKeepAlive = false
      const type = text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }
      res.writeHead(status, { ...type, ...headers }).end(text)
    }
    try {
      const refusal = access.refuse(req)
      if (refusal === undefined && req.headers.expect !== undefined) res.writeContinue()
      send(refusal ?? (await answerAdmin(req, options)))
    } catch (error) {
      options.log.error({ err: stackOf(error) }, 'admin request failed')
      if (res.headersSent) res.destroy()
      else send({ status: 500, body: { message: 'An unexpected error occurred' } })
    }
  }
  // Otherwise Node would send 100 Continue before the token is checked.
  const server = createServer({ keepAliveTimeout: 1000 }, serve).on('checkContinue', serve)
  const port = await listen(server, options.port, '127.0.0.1')
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>(done => server.close(() => done()))
    },
  }
}

const NOT_FOUND: AdminAnswer = { status: 404, body: { message: 'Not found' } }
const NOT_ALLOWED: AdminAnswer = { status: 405, body: { message: 'Method not allowed' } }

/**
 * Kong's `GET /upstreams`, `GET /upstreams/<name>/health`, `PUT /upstreams/<name>/targets/<target>/(un)healthy`, `POST /config`, and
 * our own `PUT /resolve/<name:port>/<address:port>` and `GET /resolve`.
 */
async function answerAdmin(req: IncomingMessage, options: AdminOptions): Promise<AdminAnswer> {
  const { method } = req
  const [path = '/'] = (req.url ?? '/').split('?', 1)
  const steps = path.split('/').slice(1).map(decode)
  const [first, name, part, targetName, state] = steps
  if (first === 'config' && steps.length === 1) return method === 'POST' ? loadConfig(req, options) : NOT_ALLOWED
  if (first === 'resolve') return answerResolve(method, steps, options)
  if (first !== 'upstreams') return NOT_FOUND
  if (steps.length === 1) {
    if (method !== 'GET') return NOT_ALLOWED
    const data = [...options.upstreams().keys()].map(upstream => ({ name: upstream, algorithm: 'round-robin' }))
    return { status: 200, body: { data, next: null } }
  }
  const upstream = options.upstreams().get(name ?? '')
  if (upstream === undefined) return NOT_FOUND
  if (part === 'health' && steps.length === 3)
    return method === 'GET' ? { status: 200, body: upstreamHealth(upstream) } : NOT_ALLOWED
  const target = findTarget(upstream, targetName ?? '')
  if (part !== 'targets' || steps.length !== 5 || target === undefined) return NOT_FOUND
  if (state !== 'healthy' && state !== 'unhealthy') return NOT_FOUND
  if (method !== 'PUT') return NOT_ALLOWED
  upstream.balancer.mark(target, state === 'healthy')
  return { status: 204 }
}

/** Where the names of the config are: `--resolve`, while the gateway runs. */
async function answerResolve(
  method: string | undefined,
  [, name, address, ...more]: readonly string[],
  { move, earlier, log }: AdminOptions,
): Promise<AdminAnswer> {
  if (name === undefined) return method === 'GET' ? { status: 200, body: { earlier: earlier() } } : NOT_ALLOWED
  if (address === undefined || more.length > 0) return NOT_FOUND
  if (method !== 'PUT') return NOT_ALLOWED
  try {
    await move(name, address)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return { status: 400, body: { message: error.message } }
  }
  log.info({ name, address }, 'new requests go to another address')
  return { status: 204 }
}

async function loadConfig(req: IncomingMessage, { load, log }: AdminOptions): Promise<AdminAnswer> {
  try {
    const text = await readBody(req)
    if (text === undefined) return { status: 413, body: { message: 'Request body too large' } }
    await load({ name: 'of POST /config', text })
    log.info({}, 'config replaced by POST /config')
    return { status: 201, body: {} }
  } catch (error) {
    if (!(error instanceof GatewayConfigError)) throw error
    log.error({}, `config refused, the old one stays in use: ${error.message}`)
    // Kong's words for a config that is not valid.
    return { status: 400, body: { code: 14, name: 'invalid declarative configuration', message: error.message } }
  }
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

/** Enough for thousands of routes. Parsing a longer text would block the event loop for too long. */
const MAX_BYTES = 1024 * 1024

/** Reads the config in a request's body: YAML or, as in Kong, JSON `{"config": "<YAML>"}`. Returns undefined if it is too long. */
async function readBody(req: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BYTES) return undefined
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  if (!req.headers['content-type']?.startsWith('application/json')) return text
  try {
    const body: unknown = JSON.parse(text)
    const wrapped = typeof body === 'object' && body !== null && 'config' in body ? body.config : undefined
    return typeof wrapped === 'string' ? wrapped : text
  } catch {
    // JSON is YAML: the parser will report the fault with its line.
    return text
  }
}

/** `GET /upstreams/<name>/health` in Kong's shape. */
function upstreamHealth(upstream: Upstream): object {
  const data = upstream.balancer.targets.map(target => {
    const health = healthOf(upstream, target)
    const { hostname: ip, port } = new URL(`http://${target.address}`)
    const address = { ip, port: Number(port || 80), weight: target.weight, health }
    return {
      target: target.name,
      weight: target.weight,
      health,
      upstream: { name: upstream.config.name },
      data: { addresses: [address] },
    }
  })
  return { data, next: null }
}

function findTarget({ balancer }: Upstream, name: string): Target | undefined {
  return balancer.targets.find(target => target.name === name)
}

function healthOf(upstream: Upstream, target: Target): 'HEALTHY' | 'UNHEALTHY' | 'HEALTHCHECKS_OFF' {
  if (!upstream.balancer.isHealthy(target)) return 'UNHEALTHY'
  return upstream.isChecked ? 'HEALTHY' : 'HEALTHCHECKS_OFF'
}
