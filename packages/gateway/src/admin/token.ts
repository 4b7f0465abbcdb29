import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'

/** 43 characters, 32 bytes. */
export function newAdminToken(): string {
  return randomBytes(32).toString('base64url')
}

/** A token in a file that its owner alone may read, for as long as the gateway runs. */
export interface TokenFile extends AsyncDisposable {
  readonly token: string
}

/** Writes a new token, in place of whatever lies there. Throws one clear line when it cannot. */
export async function writeTokenFile(file: string): Promise<TokenFile> {
  const token = newAdminToken()
  try {
    // Anew and only anew: neither another's mode nor a link that somebody laid there would keep it ours.
    await rm(file, { force: true })
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new Error(`cannot write the admin token to ${file} (${reason})`, { cause: error })
  }
  return { token, [Symbol.asyncDispose]: () => rm(file, { force: true }) }
}
