import { isIP } from 'node:net'
import type { CallContext } from 'tsmicro'

/** Where an attempt comes from, as far as it can be told. */
export interface Origin {
  readonly address: string
  readonly device: string
}

export function originOf(context: Pick<CallContext, 'headers' | 'clientAddress'>): Origin {
  return { address: addressOf(context), device: deviceOf(context) }
}

/**
 * What tells devices apart at one address without cookies: what the client says it is. Without its numbers, which change
 * with each update. It proves nothing: whoever says the same at the same address shares that device's count.
 */
function deviceOf({ headers }: Pick<CallContext, 'headers'>): string {
  return (headers['user-agent'] ?? '')
    .slice(0, 512)
    .replace(/[\d._]+/g, '')
    .toLowerCase()
}

/**
 * The client's address as the gateway or a declared proxy tells it, else the connection's; `direct` where there is none. Of an
 * IPv6 address the first 64 bits: whoever has one has all of those.
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
  // Loopback, and IPv4 addresses written as IPv6: no network of anybody.
  return prefix === '0:0:0:0' ? address : `${prefix}::/64`
}
