import { BlockList, isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { isSigned } from './gateway-door.ts'

/** True for the address of a proxy whose word on whom it speaks for is believed. */
export type Trusts = (address: string | undefined) => boolean

/**
 * Reads addresses and networks (`10.0.0.7`, `10.0.0.0/8`, `fd00::/8`). An IPv4 address is the same when it is written as IPv6.
 * @throws {TypeError} naming the one that is neither
 */
export function compileTrusts(proxies: readonly string[]): Trusts {
  if (proxies.length === 0) return () => false
  const list = new BlockList()
  for (const proxy of proxies) add(list, proxy)
  return address => {
    const version = isIP(address ?? '')
    return version !== 0 && list.check(address ?? '', version === 4 ? 'ipv4' : 'ipv6')
  }
}

function add(list: BlockList, proxy: string): void {
  const [address = '', bits, ...more] = proxy.trim().split('/')
  const version = isIP(address)
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const longest = version === 4 ? 32 : 128
  const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
  if (version === 0 || more.length > 0 || !(prefix <= longest)) {
    throw new TypeError(`trusted proxy ${JSON.stringify(proxy)}: write an address, or a network like 10.0.0.0/8`)
  }
  list.addSubnet(address, prefix, family)
}

/**
 * Where a request comes from: what the gateway has signed; else, of a declared proxy, its `x-real-ip` or the last address in its
 * `x-forwarded-for` that is no declared proxy's; else whoever holds the connection. Anybody can write those headers.
 */
export function clientAddressOf(request: FastifyRequest, trusts: Trusts): string | undefined {
  const peer = request.raw.socket.remoteAddress
  const signed = isSigned(request)
  if (!signed && !trusts(peer)) return peer
  const told = request.headers['x-real-ip']
  if (typeof told === 'string' && isIP(told) !== 0) return told
  // Fastify's, which goes by the same proxies.
  return !signed && isIP(request.ip) !== 0 ? request.ip : peer
}
