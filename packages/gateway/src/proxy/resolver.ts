/** Turns `name:port` of the config into `address:port` to connect to. */
export type Resolver = (authority: string) => string

/** Names in the table are replaced; any other is left to DNS. Throws a `TypeError` on an entry that is not `host:port`. */
export function tableResolver(table: Readonly<Record<string, string>>): Resolver {
  const entries = new Map(Object.entries(table))
  for (const [name, address] of entries) {
    if (!isAuthority(name) || !isAuthority(address)) {
      throw new TypeError(`resolve: "${name}=${address}" must look like auth:8001=127.0.0.1:54321`)
    }
  }
  return authority => entries.get(authority) ?? authority
}

function isAuthority(text: string): boolean {
  const port = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(text)?.[1]
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535 && URL.canParse(`http://${text}`)
}
