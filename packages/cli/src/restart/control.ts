import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { writePrivately } from '@tsmicro/infra'
import { readEnvironment } from '../command-line.ts'
import { CliError } from '../errors.ts'

/** Replaces the instances of a service, or all if it is undefined, and reports what it does. @throws CliError if it cannot */
export type Restart = (service: string | undefined, say: (text: string) => void) => Promise<void>

/** One line of an answer. The last one has `done` or `error`. */
interface ControlLine {
  readonly say?: string
  readonly error?: string
  readonly done?: true
}

/** How to reach the supervisor of a data folder. */
interface ControlAddress {
  readonly url: string
  /** Whoever can read the file may give commands. */
  readonly token: string
  /** NATS as the operator, if there is one. */
  readonly nats?: string | undefined
  readonly services: readonly string[]
}

/** Everybody on the machine can reach the port, so requests must not cost the supervisor much, however slow they are. */
const LIMITS = { headersTimeout: 5000, requestTimeout: 5000, connectionsCheckingInterval: 1000, keepAliveTimeout: 1 }
const MAX_CONNECTIONS = 100

/** A file rather than a socket, as the path of a socket must be shorter than that of many a data folder. */
const controlFile = (dataDir: string): string => join(dataDir, 'control.json')

/**
 * Accepts the commands of `tsmicro restart`: `POST /restart?service=NAME` with the token from the data folder. The answer has a
 * {@link ControlLine} of JSON for each event. One command runs at a time. No request can end the process.
 */
export async function startControl(
  dataDir: string,
  restart: Restart,
  about: Pick<ControlAddress, 'nats' | 'services'>,
): Promise<{ close(): Promise<void> }> {
  const token = randomBytes(24).toString('base64url')
  let host = ''
  let isBusy = false
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    res.shouldKeepAlive = false
    const line = (line: ControlLine): string => `${JSON.stringify(line)}\n`
    // Not `new URL`, which throws for much of what a request line may contain.
    const [path, query] = (req.url ?? '').split('?', 2)
    if (!isAuthorized(req, token, host) || req.method !== 'POST' || path !== '/restart') {
      res.writeHead(403).end()
      return
    }
    if (isBusy) {
      res.end(line({ error: 'a restart is already in progress' }))
      return
    }
    isBusy = true
    try {
      await restart(new URLSearchParams(query).get('service') ?? undefined, say => void res.write(line({ say })))
      res.end(line({ done: true }))
    } catch (error) {
      res.end(line({ error: error instanceof CliError ? error.message : String(error) }))
    } finally {
      isBusy = false
    }
  }
  const server = createServer(LIMITS, (req, res) => {
    answer(req, res).catch(() => res.destroy())
  })
  server.maxConnections = MAX_CONNECTIONS
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A connection that cannot be accepted, for example for lack of file descriptors, must not end the process.
  server.on('error', () => {})
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    server.close()
    server.closeAllConnections()
    await rm(controlFile(dataDir), { force: true })
  }
  try {
    writePrivately(controlFile(dataDir), `${JSON.stringify({ url: `http://${host}`, token, ...about })}\n`)
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

/** Returns undefined if there is no file: nothing was started in the folder, or it was stopped. */
export async function readControlFile(dataDir: string): Promise<ControlAddress | undefined> {
  try {
    return JSON.parse(await readFile(controlFile(dataDir), 'utf8')) as ControlAddress
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Whether a request may give commands: it has the token, and its Host is this server's address. A page in a browser whose name was
 * rebound to 127.0.0.1 sends that name as Host. Hashes are compared, so that the time reveals neither a part of the token nor its length.
 */
function isAuthorized({ headers }: IncomingMessage, token: string, host: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`)) && headers.host === host
}

export interface RestartCommand {
  /** A service or an instance; undefined = all. */
  readonly service: string | undefined
  readonly env: NodeJS.ProcessEnv
  readonly stdout: { write(text: string): unknown }
}

/** Lets the supervisor of the data folder replace instances, and shows what it reports. @throws CliError if it could not */
export async function runRestart({ service, env, stdout }: RestartCommand): Promise<void> {
  const { dataDir } = readEnvironment(env)
  const address = await readControlFile(dataDir)
  const query = service === undefined ? '' : `?service=${encodeURIComponent(service)}`
  const init = { method: 'POST', headers: { authorization: `Bearer ${address?.token}` } }
  const answer = address && (await fetch(`${address.url}/restart${query}`, init).catch(() => undefined))
  // The file may belong to a supervisor that was killed, and its port to another program by now.
  if (!answer?.ok || answer.body === null)
    throw new CliError(`nothing runs on ${dataDir}: start it first, or name its folder with DATA_DIR`)
  for await (const line of createInterface({ input: Readable.fromWeb(answer.body) })) {
    const { say, error, done } = JSON.parse(line) as ControlLine
    if (say !== undefined) stdout.write(`${say}\n`)
    if (error !== undefined) throw new CliError(error)
    if (done) return
  }
  throw new CliError('the supervisor ended before everything was replaced')
}
