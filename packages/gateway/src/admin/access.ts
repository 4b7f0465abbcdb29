import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'

const SHORTEST_TOKEN = 32

export interface AdminAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

/** Admits programs on this machine that have the token to the admin API. */
export class AdminAccess {
  readonly #wanted: Buffer

  /** Throws a `TypeError` if the token is too short, or cannot be sent in a header. */
  constructor(token: string) {
    if (!/^[\x21-\x7e]*$/.test(token) || token.length < SHORTEST_TOKEN)
      throw new TypeError(`the admin token has to be ${SHORTEST_TOKEN} characters or more, without spaces`)
    this.#wanted = digestOf(`Bearer ${token}`)
  }

  /** Returns undefined if the request is admitted. Must come before anything else about the request is examined. */
  refuse(req: IncomingMessage): AdminAnswer | undefined {
    if (!timingSafeEqual(digestOf(req.headers.authorization ?? ''), this.#wanted)) {
      const message = 'Unauthorized: send authorization: Bearer and the token that the gateway was started with'
      return { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { message } }
    }
    if (!comesFromHere(req))
      return { status: 403, body: { message: 'Forbidden for web pages, and under any other host name' } }
    return undefined
  }
}

/** A browser lets any web page send requests here, either with an Origin or under a host name that resolves to this machine. */
function comesFromHere({ headers }: IncomingMessage): boolean {
  const fromPage = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
  return !fromPage && /^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(headers.host ?? '')
}

/** Hashes have the same length, so comparing them reveals nothing about the expected one. */
function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** Makes a token of 43 characters, from 32 random bytes. */
export function newAdminToken(): string {
  return randomBytes(32).toString('base64url')
}

/** A token in a file that only its owner may read, for as long as the gateway runs. */
interface TokenFile extends AsyncDisposable {
  readonly token: string
}

/** Replaces the file with one that holds a new token. Throws an `Error` with one clear line if it cannot. */
export async function writeTokenFile(file: string): Promise<TokenFile> {
  const token = newAdminToken()
  try {
    // Always a new file: an existing one might be readable by others, or be somebody else's link.
    await rm(file, { force: true })
    await writeFile(file, `${token}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new Error(`cannot write the admin token to ${file} (${reason})`, { cause: error })
  }
  return { token, [Symbol.asyncDispose]: () => rm(file, { force: true }) }
}
