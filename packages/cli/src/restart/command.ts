import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { readEnvironment } from '../config/environment.ts'
import { type ControlAddress, readControlFile } from '../control/file.ts'
import type { ControlLine } from '../control/server.ts'
import { CliError } from '../errors.ts'

/** What `tsmicro restart` was asked. */
export interface RestartCommand {
  /** A service, or one instance; undefined = all. */
  readonly service: string | undefined
  readonly env: NodeJS.ProcessEnv
  readonly stdout: { write(text: string): unknown }
}

/** Has the supervisor of the data folder replace instances, and shows what it says. @throws CliError when it could not */
export async function runRestart({ service, env, stdout }: RestartCommand): Promise<void> {
  const { dataDir } = readEnvironment(env)
  const address = await readControlFile(dataDir)
  const nobody = new CliError(`nothing runs on ${dataDir}: start it first, or name its folder with DATA_DIR`)
  if (address === undefined) throw nobody
  const answer = await ask(address, service).catch(() => {
    throw nobody
  })
  // The file may be of one that was killed, and its port somebody else's by now.
  if (!answer.ok || answer.body === null) throw nobody
  const lines = createInterface({ input: Readable.fromWeb(answer.body) })
  for await (const line of lines) {
    const { say, error, done } = JSON.parse(line) as ControlLine
    if (say !== undefined) stdout.write(`${say}\n`)
    if (error !== undefined) throw new CliError(error)
    if (done) return
  }
  throw new CliError('the supervisor ended before everything was replaced')
}

function ask({ url, token }: ControlAddress, service: string | undefined): Promise<Response> {
  const query = service === undefined ? '' : `?service=${encodeURIComponent(service)}`
  return fetch(`${url}/restart${query}`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
}
