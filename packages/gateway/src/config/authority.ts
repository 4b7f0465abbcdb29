/** Parses `host` or `host:port`. Returns undefined if the text is neither, or looks like an address without being one (10.0.0.256). */
export function parseAuthority(text: string): { readonly host: string; readonly port: number | undefined } | undefined {
  const [, host, digits] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? []
  const port = digits === undefined ? undefined : Number(digits)
  const valid = host !== undefined && URL.canParse(`http://${host}`) && (port ?? 1) >= 1 && (port ?? 1) <= 65_535
  return valid ? { host, port } : undefined
}
