/** Parses `host` or `host:port`. Returns undefined if the text is neither, or looks like an address without being one (10.0.0.256). */
export function parseAuthority(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const [, host, digits] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? []
  const port = digits === undefined ? undefined : Number(digits)
  const valid = host !== undefined && URL.canParse(`http://${host}`) && (host.startsWith('[') || isHostName(host))
  return valid && (port ?? 1) >= 1 && (port ?? 1) <= 65_535 ? { host, port } : undefined
}

/** Kong's rule for host names: letters, digits, `-` and `_` between dots, without a dash at the end of a part. */
export function isHostName(text: string): boolean {
  return text.split('.').every(part => /^[A-Za-z0-9_-]*[A-Za-z0-9_]$/.test(part))
}
