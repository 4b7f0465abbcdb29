import { randomUUID } from 'node:crypto'

const ACCEPTED = /^[A-Za-z0-9._~-]{1,128}$/

/** Takes over a caller's request id when it is harmless in logs and headers, else makes one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && ACCEPTED.test(given) ? given : randomUUID()
}
