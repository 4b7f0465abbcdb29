import { resolve } from 'node:path'
import { readEnvironment } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import { openDataFolder } from '../data/folder.ts'
import { createLog } from '../output/log.ts'
import { Crew } from '../supervise/crew.ts'
import { Disk } from '../supervise/disk.ts'
import { WorkerStartError } from '../supervise/worker.ts'
import { instanceNames } from './instances.ts'
import { startSystem } from './start.ts'

/** What `tsmicro start` was asked. */
export interface StartCommand {
  readonly configFile: string
  readonly fresh: boolean
  /** Instances of each service. */
  readonly replicas: number
  readonly env: NodeJS.ProcessEnv
  readonly stdout: { readonly isTTY?: boolean; write(text: string): unknown }
  /** Aborted once to drain. */
  readonly drain: AbortSignal
  /** Aborted to end everything at once. */
  readonly kill: AbortSignal
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** For what waits and was told to stop: that is no failure. */
function stoppedInstead(signal: AbortSignal): (error: unknown) => undefined {
  return error => {
    if (!(signal.aborted && error instanceof Error && error.name === 'AbortError')) throw error
  }
}

/**
 * Runs a system until `drain` is aborted, then stops it in order. Resolves when nothing of it runs any more.
 * @throws CliError, InfraError: one line for whoever typed the command; everything is stopped by then
 */
export async function runStart({ configFile, fresh, replicas, env, stdout, drain, kill }: StartCommand): Promise<void> {
  const loaded = await loadConfig(configFile)
  const environment = readEnvironment(env)
  const names = [
    'gateway',
    ...loaded.config.infra,
    ...(loaded.config.optionalInfra ?? []),
    ...Object.keys(loaded.config.services).flatMap(service => instanceNames(service, replicas)),
  ]
  const log = createLog({
    write: text => stdout.write(text),
    level: environment.logLevel,
    isTerminal: stdout.isTTY === true,
    env,
    width: Math.max(...names.map(name => name.length)),
  })
  const disk = new Disk(resolve(environment.dataDir), log.say)
  const data = await disk.withRoom(drain, () => openDataFolder(environment.dataDir, fresh)).catch(stoppedInstead(drain))
  if (data === undefined) return
  const crew = new Crew(log.say)
  kill.addEventListener('abort', () => crew.kill(), { once: true })
  try {
    const context = { crew, log, disk, signal: drain, replicas }
    const starting = startSystem(loaded, environment, data, context).catch(stoppedInstead(drain))
    starting.catch(() => {})
    const stopped = untilAborted(drain)
    await Promise.race([starting, stopped])
    await stopped
  } catch (error) {
    if (error instanceof WorkerStartError) {
      log.say(`\n${error.message}. Its last lines:`)
      for (const line of error.output.slice(-15)) log.child(error.worker, line)
    }
    throw error
  } finally {
    await crew.drain()
    data.release()
  }
}
