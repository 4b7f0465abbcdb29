import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { readEnvironment } from '../command-line.ts'
import { CliError } from '../errors.ts'
import { type ControlLine, readControlFile } from './control.ts'

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
