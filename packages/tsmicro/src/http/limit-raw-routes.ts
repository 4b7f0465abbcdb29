import type { FastifyInstance, FastifyReply, onRequestHookHandler } from 'fastify'
import { CallerGoneError, Deadline, type EndpointLimits, Gate, type Log, RareLog } from '../call/index.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How much this route takes; more is answered 503. False: any number. Default: the service's. */
    readonly limits?: EndpointLimits | false
  }
}

/** What a request may wait for its turn; a route of one's own has no time-out that says so. */
const LONGEST_WAIT_MS = 10_000

/**
 * Bounds the routes that controllers add to Fastify itself, as procedures are. A request counts until it is answered, or until
 * it is hijacked: what is a stream or a WebSocket from then on is no work in progress.
 */
export function limitRawRoutes(server: FastifyInstance, limits: EndpointLimits | undefined, log: Log): void {
  server.addHook('onRoute', route => {
    const own = route.config?.limits
    if (own === false) return
    const hook = hookOf(new Gate(own ?? limits), new RareLog(log, 'overloaded: requests are refused'))
    route.onRequest = [hook, ...[route.onRequest ?? []].flat()]
  })
}

function hookOf(gate: Gate, overload: RareLog): onRequestHookHandler {
  return (request, reply, done) => {
    const enter = () => {
      leaveLater(gate, reply)
      done()
    }
    if (gate.enterNow()) return enter()
    try {
      gate.refuseWhenFull()
    } catch (error) {
      overload.happened({ route: request.routeOptions.url })
      return done(error as Error)
    }
    waitIn(gate, reply).then(enter, done)
  }
}

async function waitIn(gate: Gate, reply: FastifyReply): Promise<void> {
  using deadline = new Deadline(LONGEST_WAIT_MS)
  const gone = () => deadline.cancel(new CallerGoneError())
  reply.raw.once('close', gone)
  await gate.enter(deadline)
  reply.raw.off('close', gone)
  if (!reply.raw.closed) return
  // It closed in the moment in which its turn came, and will not say so again.
  gate.leave()
  throw new CallerGoneError()
}

function leaveLater(gate: Gate, reply: FastifyReply): void {
  let inside = true
  const leave = () => {
    if (inside) gate.leave()
    inside = false
  }
  reply.raw.once('close', leave)
  const hijack = reply.hijack.bind(reply)
  reply.hijack = () => {
    leave()
    return hijack()
  }
}
