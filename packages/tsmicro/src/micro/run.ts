import type { Log } from '../call/index.ts'
import { describeInstead } from './describe.ts'
import type { Service } from './service.ts'

interface RunOptions {
  readonly log: Log
  /** Milliseconds after which a hanging stop is ended with exit code 1. Default 20,000. */
  readonly stopTimeoutMs?: number
}

/**
 * Runs a service as this process: starts it, drains it on SIGTERM and SIGINT and then exits with 0. A failed start is logged in
 * one line, and exits with 1. Only a service's `main.ts` calls this.
 *
 * @example
 * const service: Service = createService(options)
 * await runService(service, { log })
 */
export async function runService(service: Service, { log, stopTimeoutMs = 20_000 }: RunOptions): Promise<void> {
  if (describeInstead(service)) return
  let stopping = false
  const stop = async (why: string, code: number) => {
    if (stopping) return
    stopping = true
    log.info({ why }, 'stopping')
    setTimeout(() => {
      log.error({}, `did not stop within ${stopTimeoutMs / 1000} s`)
      process.exit(1)
    }, stopTimeoutMs).unref()
    try {
      await service.stop()
    } catch (err) {
      log.error({ err }, 'stopping failed')
      process.exit(1)
    }
    process.exit(code)
  }
  process.on('SIGTERM', () => void stop('SIGTERM', 0))
  process.on('SIGINT', () => void stop('SIGINT', 0))
  // The state is unknown now, so finish what is in progress and let the supervisor restart the process.
  process.on('uncaughtException', err => {
    log.error({ err }, 'uncaught exception')
    void stop('uncaught exception', 1)
  })
  try {
    await service.start()
  } catch (err) {
    if (stopping) return
    log.error(
      err instanceof Error && err.name === 'StartError' ? {} : { err },
      err instanceof Error ? err.message : String(err),
    )
    await stop('start failed', 1)
  }
}
