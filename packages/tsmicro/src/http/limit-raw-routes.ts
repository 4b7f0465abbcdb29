import type { FastifyInstance, FastifyReply, onRequestHookHandler } from 'fastify'
import { CallerGoneError, Deadline, type EndpointLimits, Limiter, type Log, ThrottledLog } from '../call/index.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How many requests this route accepts; further ones get a 503. False: any number. Default: the service's limits. */
    readonly limits?: EndpointLimits | false
  }
}

/** How long a request may wait for its turn. A raw route has no time-out of its own. */
const LONGEST_WAIT_MS = 10_000

/**
 * Limits the routes that controllers add to Fastify directly, as procedures are limited. A request counts until it is answered, or
 * until it is hijacked: a stream or a WebSocket does not count as work in progress.
 */
export function limitRawRoutes(server: FastifyInstance, limits: EndpointLimits | undefined, log: Log): void {
  server.addHook('onRoute', route => {
    const own = route.config?.limits
    if (own === false) return
    const hook = hookOf(new Limiter(own ?? limits), new ThrottledLog(log, 'overloaded: requests are refused'))
    route.onRequest = [hook, ...[route.onRequest ?? []].flat()]
  })
}

function hookOf(limiter: Limiter, overload: ThrottledLog): onRequestHookHandler {
  return (request, reply, done) => {
    const enter = () => {
      releaseLater(limiter, reply)
      done()
    }
    if (limiter.tryAcquire()) return enter()
    try {
      limiter.refuseWhenFull()
    } catch (error) {
      overload.warn({ route: request.routeOptions.url })
      return done(error as Error)
    }
    waitFor(limiter, reply).then(enter, done)
  }
}

async function waitFor(limiter: Limiter, reply: FastifyReply): Promise<void> {
  using deadline = new Deadline(LONGEST_WAIT_MS)
  const gone = () => deadline.cancel(new CallerGoneError())
  reply.raw.once('close', gone)
  await limiter.acquire(deadline)
  reply.raw.off('close', gone)
  if (!reply.raw.closed) return
  // The connection closed just when it was the request's turn, and will not emit `close` again.
  limiter.release()
  throw new CallerGoneError()
}

function releaseLater(limiter: Limiter, reply: FastifyReply): void {
  let inside = true
  const release = () => {
    if (inside) limiter.release()
    inside = false
  }
  reply.raw.once('close', release)
  const hijack = reply.hijack.bind(reply)
  reply.hijack = () => {
    release()
    return hijack()
  }
}
