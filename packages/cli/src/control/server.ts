import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CliError } from '../errors.ts'
import { isAdmitted } from './admission.ts'
import { removeControlFile, writeControlFile } from './file.ts'

/** Replaces instances of a service, of all when it is undefined; tells what it does. Throws CliError when it cannot. */
export type Restart = (service: string | undefined, say: (text: string) => void) => Promise<void>

/** One line of an answer. The last one has `done` or `error`. */
export interface ControlLine {
  readonly say?: string
  readonly error?: string
  readonly done?: true
}

/** Everybody on the machine can reach the port: what they send, and how slowly, takes little of the supervisor. */
const LIMITS = { headersTimeout: 5000, requestTimeout: 5000, connectionsCheckingInterval: 1000, keepAliveTimeout: 1 }
const MAX_CONNECTIONS = 100

/**
 * Takes the commands of `tsmicro restart`: `POST /restart?service=NAME` with the token that lies in the data folder, answered
 * by a {@link ControlLine} of JSON for each thing that happens. One at a time. Nothing that is sent to it ends the process.
 */
export async function startControl(dataDir: string, restart: Restart): Promise<{ close(): Promise<void> }> {
  const token = randomBytes(24).toString('base64url')
  let host = ''
  let busy = false
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    res.shouldKeepAlive = false
    const [path, query] = split(req.url ?? '')
    if (!isAdmitted(req, token, host) || req.method !== 'POST' || path !== '/restart') {
      res.writeHead(403).end()
      return
    }
    if (busy) return end(res, { error: 'a restart is under way already' })
    busy = true
    try {
      await restart(new URLSearchParams(query).get('service') ?? undefined, say => tell(res, { say }))
      end(res, { done: true })
    } catch (error) {
      end(res, { error: error instanceof CliError ? error.message : String(error) })
    } finally {
      busy = false
    }
  }
  const server = createServer(LIMITS, (req, res) => {
    answer(req, res).catch(() => res.destroy())
  })
  server.maxConnections = MAX_CONNECTIONS
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A connection that could not be taken, for want of file descriptors say, is no reason to end.
  server.on('error', () => {})
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    server.close()
    server.closeAllConnections()
    await removeControlFile(dataDir)
  }
  try {
    await writeControlFile(dataDir, { url: `http://${host}`, token })
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

/** Not by `new URL`, which throws at much that a request line may hold. */
function split(target: string): readonly [path: string, query: string] {
  const at = target.indexOf('?')
  return at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)]
}

function tell(res: ServerResponse, line: ControlLine): void {
  res.write(`${JSON.stringify(line)}\n`)
}

function end(res: ServerResponse, line: ControlLine): void {
  res.end(`${JSON.stringify(line)}\n`)
}
