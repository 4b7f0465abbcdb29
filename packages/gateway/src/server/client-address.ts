import type { IncomingMessage } from 'node:http'

/** The other end of the connection; IPv4 in its usual form also on a socket for both. */
export function clientAddress(req: Pick<IncomingMessage, 'socket'>): string {
  const address = req.socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
