import { get } from 'node:http'
import { GATEWAY_NAME } from '../server/identity.ts'
import type { Target } from './target.ts'

/**
 * Asks a target for a path, on a connection of its own: a kept one would say nothing about whether new ones are taken.
 * Resolves to the status, or to how it failed. Never throws.
 */
export function probe(
  { address, hostHeader }: Target,
  path: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number | 'tcpFailure' | 'timeout'> {
  return new Promise(resolve => {
    const { hostname, port } = new URL(`http://${address}`)
    const headers = { host: hostHeader, connection: 'close', 'user-agent': GATEWAY_NAME }
    const host = hostname.replace(/^\[|\]$/g, '')
    const request = get({ host, port, path, headers, agent: false, signal }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    const timer = setTimeout(() => {
      resolve('timeout')
      request.destroy()
    }, timeoutMs)
    request.on('error', () => resolve('tcpFailure')).on('close', () => clearTimeout(timer))
  })
}
