import { existsSync } from 'node:fs'
import { readEnvironment } from '../command-line.ts'
import { loadConfig } from '../config.ts'
import { CliError, UsageError } from '../errors.ts'
import { readControlFile } from '../restart/control.ts'

/** The server to ask, and the names of its services, as far as they are known. */
export interface Target {
  readonly url: string
  readonly services: readonly string[]
}

/**
 * Finds the server: a URL that was given, or the system that runs on DATA_DIR.
 * @throws CliError if there is none; UsageError if services have to be named
 */
export async function findTarget(
  { nats, services }: { readonly nats: string | undefined; readonly services: readonly string[] },
  configFile: string,
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  const { dataDir, urls } = readEnvironment(env)
  const given = nats ?? urls.nats
  const running = given === undefined ? await readControlFile(dataDir) : undefined
  const url = given ?? running?.nats
  if (running && url === undefined)
    throw new CliError(
      'the system that runs names no operator of its NATS (nats.operator in tsmicro.config.ts): use --nats URL',
    )
  if (url === undefined)
    throw new CliError(`nothing runs on ${dataDir}: start it first, name its folder with DATA_DIR, or use --nats URL`)
  if (services.length > 0) return { url, services }
  if (running?.services) return { url, services: running.services }
  if (!existsSync(configFile)) throw new UsageError('name the services, as there is no tsmicro.config.ts here')
  const { config } = await loadConfig(configFile)
  return { url, services: Object.keys(config.services) }
}
