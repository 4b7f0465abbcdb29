import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * Whether a request may give commands: it has the token, and it names this server by its own address. A page in a browser
 * that had its name rebound to 127.0.0.1 comes with that name as Host. Looks at headers alone, so that nothing of a
 * stranger's request is parsed.
 */
export function isAdmitted({ headers }: IncomingMessage, token: string, host: string): boolean {
  return equals(headers.authorization ?? '', `Bearer ${token}`) && headers.host === host
}

/** In a time that says nothing about how much of it was right, nor about its length. */
function equals(given: string, wanted: string): boolean {
  return timingSafeEqual(digest(given), digest(wanted))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
