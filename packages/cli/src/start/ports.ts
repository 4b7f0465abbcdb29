import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, isPortFree, reservePort } from '@tsmicro/infra'
import { CliError } from '../errors.ts'

/**
 * The gateway's port: the one address that people type, so no other is taken silently. 0 asks for a free one.
 * Waits a moment for the gateway of a supervisor that was killed just now.
 */
export async function gatewayPort(wanted: number): Promise<number> {
  if (wanted === 0) return freePort()
  for (let attempt = 1; !(await isPortFree(wanted)); attempt++) {
    if (attempt === 20)
      throw new CliError(
        `port ${wanted} is taken: choose another for the gateway, e.g. GATEWAY_PORT=${wanted + 80} npm start`,
      )
    await sleep(50)
  }
  return wanted
}

/** A port for an instance: the one that is wanted if nobody has it or is about to take it, else any. */
export async function instancePort(wanted: number | undefined): Promise<number> {
  return wanted !== undefined && (await reservePort(wanted)) ? wanted : freePort()
}
