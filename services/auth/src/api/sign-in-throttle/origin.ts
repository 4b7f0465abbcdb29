import { isIP } from 'node:net'
import type { CallContext } from 'tsmicro'

/** Where an attempt comes from, as far as that is known. */
export interface Origin {
  readonly address: string
  readonly device: string
}

/**
 * Without cookies, the `user-agent` is all that tells devices at one address apart. Its numbers are left out, as they change
 * with every update. It proves nothing: whoever sends the same one from the same address shares that device's count.
 */
export function originOf(context: Pick<CallContext, 'headers' | 'clientAddress'>): Origin {
  const agent = (context.headers['user-agent'] ?? '').slice(0, 512)
  return { address: addressOf(context), device: agent.replace(/[\d._]+/g, '').toLowerCase() }
}

/**
 * The client's address as the gateway or a trusted proxy gives it, otherwise the connection's; `direct` if there is none. Of
 * an IPv6 address only the first 64 bits count, because whoever has one such address has the whole network.
 */
export function addressOf({ clientAddress = '' }: Pick<CallContext, 'clientAddress'>): string {
  const [text = ''] = clientAddress.split('%', 1)
  const version = isIP(text)
  if (version === 0) return 'direct'
  return version === 4 ? text : networkOf(new URL(`http://[${text}]`).hostname.slice(1, -1))
}

function networkOf(address: string): string {
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const omitted = tail === undefined ? 0 : 8 - left.length - tail.split(':').filter(Boolean).length
  const prefix = [...left, ...Array<string>(omitted).fill('0')].slice(0, 4).join(':')
  // Loopback and IPv4-mapped addresses: these do not belong to anybody's network.
  return prefix === '0:0:0:0' ? address : `${prefix}::/64`
}
