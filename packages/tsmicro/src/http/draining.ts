import type { Server } from 'node:http'
import { Server as SocketServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Log } from '../call/index.ts'
import { rootMessage, settledWithin } from '../errors/index.ts'
import { closeUnusedConnections } from './connections.ts'

const IDLE_SWEEP_MS = 50
const IDLE_GRACE_MS = 500
const QUIET_MS = 50
const LONGEST_WAIT_MS = 500
const QUIET_TURNS = 2
/** Twice Node's default backlog: any further clients connected after the stop. */
const LONGEST_QUEUE = 1024

/**
 * Makes closing quick and lossless.
 *
 * Once closing has begun, every answer says `connection: close`, and connections that stay idle are closed. Fastify and Node do that
 * only for connections that are opened later or are idle at that moment, and a busy connection would hold up the stop for its
 * 75 keep-alive seconds.
 *
 * The kernel accepts connections before we do, and resets those that still wait when the listening socket closes: their clients see a
 * lost request instead of a refused connection. So answers are held back for the few milliseconds until nobody connects any longer
 * (clients that wait for an answer open no new connection), then the socket is closed, then the answers go out. (Measured with 16
 * callers and a connection per request: without this, every second stop lost up to 4 requests.)
 *
 * Then the `preClose` hooks of plugins run and end what would not end by itself, such as WebSockets: no new ones can come. Only after
 * that are the connections waited for.
 */
export function drainOnClose(server: FastifyInstance, log: Log): void {
  let closing = false
  let quiet: Promise<void> | undefined
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close')
    if (quiet) quiet.then(() => done(null, payload))
    else done(null, payload)
  })
  // Added before any plugin's, so it runs first. It waits for no connection, because the other hooks must run first.
  server.addHook('preClose', async () => {
    closing = true
    if (!server.server.listening) return
    quiet = quietMoment(server.server)
    await quiet
    const ended = closeConnections(server)
    // Fastify calls this after the last hook. Node's own would close idle connections at once and no longer check slow ones.
    const close = server.server.close.bind(server.server)
    server.server.close = callback => {
      void ended.then(() => close(callback))
      return server.server
    }
  })
  guardPreClose(server, log)
}

/**
 * Stops listening and waits for every connection to end. A kept connection may still send a request, whose answer then says to close.
 * Closing one while its client begins to send looks like a lost request, so idle connections are closed only after a grace period.
 */
async function closeConnections(server: FastifyInstance): Promise<void> {
  // Closes only the socket: http.Server's own `close` ends idle connections at once.
  const ended = new Promise(resolve => SocketServer.prototype.close.call(server.server, resolve))
  await settledWithin(IDLE_GRACE_MS, ended)
  const closeIdle = () => {
    server.server.closeIdleConnections()
    closeUnusedConnections(server)
  }
  closeIdle()
  const sweep = setInterval(closeIdle, IDLE_SWEEP_MS)
  await ended
  clearInterval(sweep)
}

/**
 * Waits until no connection has come for a moment, or for at most a while if they keep coming. Counts turns of the event loop as well
 * as time: libuv accepts one connection a turn (seen with 1.52), so a long queue takes its time on a busy machine.
 */
async function quietMoment(server: Server): Promise<void> {
  const startedAt = performance.now()
  let latest = startedAt
  let accepted = 0
  let quietTurns = 0
  const onConnection = () => {
    latest = performance.now()
    accepted += 1
    quietTurns = 0
  }
  server.on('connection', onConnection)
  while (accepted <= LONGEST_QUEUE) {
    await sleep(5)
    // A turn of the event loop's poll phase: waiting connections are accepted, and counted, before we look.
    await new Promise(resolve => setImmediate(resolve))
    quietTurns += 1
    const now = performance.now()
    if (quietTurns > QUIET_TURNS && (now - latest > QUIET_MS || now - startedAt > LONGEST_WAIT_MS)) break
  }
  server.off('connection', onConnection)
}

type Hook = (this: FastifyInstance, done?: (error?: unknown) => void) => unknown

/**
 * Keeps a failing `preClose` hook of one plugin from skipping the others: Fastify stops silently at the first failure, and the WebSockets
 * of another plugin would never be closed.
 */
function guardPreClose(server: FastifyInstance, log: Log): void {
  const addHook = server.addHook as (name: string, hook: Hook) => FastifyInstance
  // The instances of plugins inherit it.
  Reflect.set(server, 'addHook', function (this: FastifyInstance, name: string, hook: Hook) {
    const guarded = name === 'preClose' && typeof hook === 'function' ? guard(hook, log) : hook
    return addHook.call(this, name, guarded)
  })
}

function guard(hook: Hook, log: Log): Hook {
  return async function (this: FastifyInstance) {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    try {
      if (hook.length === 0) resolve(hook.call(this))
      else hook.call(this, error => (error ? reject(error) : resolve(undefined)))
      await promise
    } catch (error) {
      log.warn({ err: error }, `a preClose hook failed: ${rootMessage(error)}`)
    }
  }
}
