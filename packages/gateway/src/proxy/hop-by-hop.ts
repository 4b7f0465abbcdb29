/** Header fields that belong to one connection and are never passed on (RFC 9110, 7.6.1), all in lower case. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const NONE: readonly string[] = []

/** The further fields that a Connection header names, in lower case. */
export function namedByConnection(connection: string | undefined): readonly string[] {
  // Nearly every message says just this; splitting is for the others.
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE
  return connection.split(',').map(name => name.trim().toLowerCase())
}
