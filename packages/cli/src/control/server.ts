import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CliError } from '../errors.ts'
import { removeControlFile, writeControlFile } from './file.ts'

/** Replaces instances of a service, of all when it is undefined; tells what it does. Throws CliError when it cannot. */
export type Restart = (service: string | undefined, say: (text: string) => void) => Promise<void>

/** One line of an answer. The last one has `done` or `error`. */
export interface ControlLine {
  readonly say?: string
  readonly error?: string
  readonly done?: true
}

/**
 * Takes the commands of `tsmicro restart`: `POST /restart?service=NAME` with the token that lies in the data folder, answered
 * by a {@link ControlLine} of JSON for each thing that happens. One at a time.
 */
export async function startControl(dataDir: string, restart: Restart): Promise<{ close(): Promise<void> }> {
  const token = randomBytes(24).toString('base64url')
  let busy = false
  const server = createServer(async (req, res) => {
    const url = new URL(req.url ?? '/', 'http://control')
    if (!knows(req, token) || req.method !== 'POST' || url.pathname !== '/restart') {
      res.writeHead(403).end()
      return
    }
    const tell = (line: ControlLine) => void res.write(`${JSON.stringify(line)}\n`)
    if (busy) return end(res, { error: 'a restart is under way already' })
    busy = true
    try {
      await restart(url.searchParams.get('service') ?? undefined, say => tell({ say }))
      end(res, { done: true })
    } catch (error) {
      end(res, { error: error instanceof CliError ? error.message : String(error) })
    } finally {
      busy = false
    }
  })
  server.requestTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await writeControlFile(dataDir, { url: `http://127.0.0.1:${port}`, token })
  return {
    close: async () => {
      await removeControlFile(dataDir)
      server.close()
      server.closeAllConnections()
    },
  }
}

function end(res: ServerResponse, line: ControlLine): void {
  res.end(`${JSON.stringify(line)}\n`)
}

function knows({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
