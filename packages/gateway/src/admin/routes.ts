import type { IncomingMessage } from 'node:http'
import { GatewayConfigError } from '../config/config-error.ts'
import { readBody } from './body.ts'
import type { AdminOptions } from './server.ts'
import { findTarget, upstreamHealth } from './upstream-health.ts'

export interface AdminAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

const NOT_FOUND: AdminAnswer = { status: 404, body: { message: 'Not found' } }
const NOT_ALLOWED: AdminAnswer = { status: 405, body: { message: 'Method not allowed' } }

/** `GET /upstreams`, `GET /upstreams/<name>/health`, `PUT /upstreams/<name>/targets/<target>/(un)healthy`, `POST /config`. */
export async function answerAdmin(req: IncomingMessage, options: AdminOptions): Promise<AdminAnswer> {
  const { method } = req
  const [path = '/'] = (req.url ?? '/').split('?', 1)
  const steps = path.split('/').slice(1).map(decode)
  const [first, name, part, targetName, state] = steps
  if (first === 'config' && steps.length === 1) return method === 'POST' ? loadConfig(req, options) : NOT_ALLOWED
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

async function loadConfig(req: IncomingMessage, { load, log }: AdminOptions): Promise<AdminAnswer> {
  try {
    const text = await readBody(req)
    if (text === undefined) return { status: 413, body: { message: 'Request body too large' } }
    await load({ name: 'of POST /config', text })
    log.info({}, 'config replaced by POST /config')
    return { status: 201, body: {} }
  } catch (error) {
    if (!(error instanceof GatewayConfigError)) throw error
    log.error({}, `config refused, the old one goes on: ${error.message}`)
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
