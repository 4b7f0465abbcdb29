import { once } from 'node:events'
import { resolve } from 'node:path'
import { readEnvironment } from '../command-line.ts'
import { loadConfig } from '../config.ts'
import { openDataFolder } from '../data-folder.ts'
import { createLog } from '../output/log.ts'
import { Disk } from '../supervise/disk.ts'
import { RunningSystem } from '../supervise/running-system.ts'
import { WorkerStartError } from '../supervise/worker.ts'
import type { Development, StartingSystem } from './development.ts'
import { instanceNames } from './plan.ts'
import { startSystem } from './start.ts'

export interface StartCommand {
  readonly configFile: string
  readonly fresh: boolean
  /** The number of instances of each service. */
  readonly replicas: number
  /** Undefined = nothing is restarted when its sources change. */
  readonly development?: (starting: StartingSystem) => Development
  readonly env: NodeJS.ProcessEnv
  readonly stdout: { readonly isTTY?: boolean; write(text: string): unknown }
  /** Aborted to stop everything in order. */
  readonly drain: AbortSignal
  /** Aborted to end everything immediately. */
  readonly kill: AbortSignal
}

/** For `catch`: returns undefined if the signal has aborted the work, which is not a failure, and throws any other error. */
function unlessAborted(signal: AbortSignal): (error: unknown) => undefined {
  return error => {
    if (!(signal.aborted && error instanceof Error && error.name === 'AbortError')) throw error
  }
}

/**
 * Runs a system until `drain` is aborted, then stops it in order. Resolves when nothing of it runs any longer.
 * @throws CliError, InfraError in one line for the user, after everything has been stopped
 */
export async function runStart(command: StartCommand): Promise<void> {
  const { configFile, fresh, replicas, development, env, stdout, drain, kill } = command
  const loaded = await loadConfig(configFile)
  const environment = readEnvironment(env)
  const { infra, optionalInfra = [], services } = loaded.config
  const instances = Object.keys(services).flatMap(service => instanceNames(service, replicas))
  const log = createLog({
    write: text => stdout.write(text),
    level: environment.logLevel,
    isTerminal: stdout.isTTY === true,
    env,
    width: Math.max(...['gateway', ...infra, ...optionalInfra, ...instances].map(name => name.length)),
  })
  const disk = new Disk(resolve(environment.dataDir), log.say)
  const data = await disk.withRoom(drain, () => openDataFolder(environment.dataDir, fresh)).catch(unlessAborted(drain))
  if (data === undefined) return
  const running = new RunningSystem(log.say)
  kill.addEventListener('abort', () => running.kill(), { once: true })
  try {
    const context = { running, log, disk, signal: drain, replicas, development }
    const starting = startSystem(loaded, environment, data, context).catch(unlessAborted(drain))
    starting.catch(() => {})
    const stopped = drain.aborted ? Promise.resolve() : once(drain, 'abort')
    await Promise.race([starting, stopped])
    await stopped
  } catch (error) {
    if (error instanceof WorkerStartError) {
      log.say(`\n${error.message}. Its last lines:`)
      for (const line of error.output.slice(-15)) log.child(error.worker, line)
    }
    throw error
  } finally {
    await running.drain()
    data.release()
  }
}
