import type { Resolver } from '../proxy/resolver.ts'

/** One address that requests may go to. */
export interface Target {
  /** `host:port` as the config has it. */
  readonly name: string
  /** `address:port` to connect to. */
  readonly address: string
  /** The Host header: the configured name, whatever address it was resolved to. */
  readonly hostHeader: string
  readonly weight: number
}

export function targetOf({ host, port }: { host: string; port: number }, weight: number, resolve: Resolver): Target {
  const name = `${host}:${port}`
  return { name, address: resolve(name), hostHeader: port === 80 ? host : name, weight }
}
