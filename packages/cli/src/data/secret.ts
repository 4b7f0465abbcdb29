import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A random secret of the system's own, made when it is first asked for and kept below the data folder, for its owner alone.
 * 43 characters, 32 bytes.
 *
 * @param name a letter, then letters, digits and dashes
 * @example
 * gateway: { entry, config, env: ({ dataDir }) => ({ GATEWAY_SECRET: keptSecret(dataDir, 'gateway') }) }
 */
export function keptSecret(dataDir: string, name: string): string {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new TypeError(`"${name}" cannot be the name of a secret`)
  const folder = join(dataDir, 'secrets')
  const file = join(folder, name)
  const kept = read(file)
  if (/^[\w-]{43}$/.test(kept)) return kept
  const made = randomBytes(32).toString('base64url')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Renamed into place, so that neither a crash nor a full disk leaves half of one.
  const draft = `${file}.new`
  rmSync(draft, { force: true })
  writeFileSync(draft, made, { mode: 0o600, flag: 'wx', flush: true })
  renameSync(draft, file)
  return made
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
