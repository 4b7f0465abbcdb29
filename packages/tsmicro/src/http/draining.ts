import type { Server } from 'node:http'
import { Server as SocketServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Log } from '../call/index.ts'
import { settledWithin } from '../errors/index.ts'
import { guardPreClose } from './pre-close.ts'

const IDLE_SWEEP_MS = 50
const IDLE_GRACE_MS = 500
const QUIET_MS = 50
const LONGEST_WAIT_MS = 500
const QUIET_TURNS = 2
/** Twice Node's default backlog: whoever comes after so many came after the stop. */
const LONGEST_QUEUE = 1024

/**
 * Makes closing lose nothing and end soon.
 *
 * From then on every answer says `connection: close`, and connections that stay idle are closed: Fastify and Node do so only
 * for what arrives after the closing began or is idle at that moment, and a connection that was busy would hold up the stop
 * for its 75 keep-alive seconds.
 *
 * The kernel accepts connections before we do, and resets those still waiting when the listening socket closes: their
 * clients see a lost request instead of a refused connection. So answers are held back for the few milliseconds until
 * nobody connects any more (who waits for an answer opens no new connection), then the socket is closed, then they go out.
 * (Measured with 16 callers, a connection per request: without this every second stop lost up to 4 of them.)
 *
 * Then the `preClose` hooks of plugins run, so that they end what would not end by itself, such as WebSockets: no new ones
 * can come. Only behind them the connections are waited for.
 */
export function drainOnClose(server: FastifyInstance, log: Log): void {
  let closing = false
  let quiet: Promise<void> | undefined
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) reply.header('connection', 'close')
    if (quiet) quiet.then(() => done(null, payload))
    else done(null, payload)
  })
  // The first hook of all, as it is added before any plugin. It waits for no connection: the others have their turn behind it.
  server.addHook('preClose', async () => {
    closing = true
    if (!server.server.listening) return
    quiet = quietMoment(server.server)
    await quiet
    const ended = closeConnections(server.server)
    // What Fastify calls behind the last hook. By itself it would close idle connections at once, and look after slow ones no longer.
    const close = server.server.close.bind(server.server)
    server.server.close = callback => {
      void ended.then(() => close(callback))
      return server.server
    }
  })
  guardPreClose(server, log)
}

/**
 * Stops listening and waits for every connection to end. Kept ones may still send a request, whose answer then tells them to
 * close; one that was closed while its client begins to send looks like a lost request. So idle ones are closed only when
 * they have had their time.
 */
async function closeConnections(server: Server): Promise<void> {
  // The socket alone: http.Server's own `close` ends idle connections at once.
  const ended = new Promise(resolve => SocketServer.prototype.close.call(server, resolve))
  await settledWithin(IDLE_GRACE_MS, ended)
  server.closeIdleConnections()
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS)
  await ended
  clearInterval(sweep)
}

/**
 * Waits until no connection has come for a moment; in a steady stream of them not for ever. Turns of the event loop count,
 * not time alone: libuv accepts one connection a turn (seen with 1.52), so on a busy machine a long queue takes its time.
 */
async function quietMoment(server: Server): Promise<void> {
  const began = performance.now()
  let latest = began
  let accepted = 0
  let quietTurns = 0
  const connected = () => {
    latest = performance.now()
    accepted += 1
    quietTurns = 0
  }
  server.on('connection', connected)
  while (accepted <= LONGEST_QUEUE) {
    await sleep(5)
    // A turn of the event loop's poll phase: what waits is accepted, and counted, before we look.
    await new Promise(resolve => setImmediate(resolve))
    quietTurns += 1
    const now = performance.now()
    if (quietTurns > QUIET_TURNS && (now - latest > QUIET_MS || now - began > LONGEST_WAIT_MS)) break
  }
  server.off('connection', connected)
}
