import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivately } from '@tsmicro/infra'

const FILE = 'control.json'

/** How to reach the supervisor of a data folder. */
export interface ControlAddress {
  readonly url: string
  /** Whoever may read the file may give commands. */
  readonly token: string
}

/** A file rather than a socket: a socket's path must be shorter than many a data folder's. */
export async function writeControlFile(dataDir: string, address: ControlAddress): Promise<void> {
  await writePrivately(join(dataDir, FILE), `${JSON.stringify(address)}\n`)
}

export function removeControlFile(dataDir: string): Promise<void> {
  return rm(join(dataDir, FILE), { force: true })
}

/** Undefined when there is none: nothing was started there, or it was stopped. */
export async function readControlFile(dataDir: string): Promise<ControlAddress | undefined> {
  try {
    return JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as ControlAddress
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
