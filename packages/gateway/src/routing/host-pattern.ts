export interface HostPattern {
  /** The one host name that it matches; undefined when it has a wildcard. */
  readonly name: string | undefined
  /** Where it has a wildcard. */
  readonly wildcard: 'start' | 'end' | undefined
  /** Of a host name without port, in the case in which it was sent. */
  readonly matches: (host: string) => boolean
  /** Undefined matches any. */
  readonly port: number | undefined
}

/** Reads `example.com`, `*.example.com` or `example.*`, in lower case, each perhaps with a port. */
export function hostPattern(text: string): HostPattern {
  const colon = text.indexOf(':')
  const pattern = colon === -1 ? text : text.slice(0, colon)
  return {
    name: pattern.includes('*') ? undefined : pattern,
    wildcard: pattern.startsWith('*') ? 'start' : pattern.endsWith('*') ? 'end' : undefined,
    matches: nameMatcher(pattern),
    port: colon === -1 ? undefined : Number(text.slice(colon + 1)),
  }
}

function nameMatcher(pattern: string): (host: string) => boolean {
  if (pattern.startsWith('*')) {
    const end = pattern.slice(1)
    return host => host.endsWith(end)
  }
  if (pattern.endsWith('*')) {
    const start = pattern.slice(0, -1)
    return host => host.startsWith(start)
  }
  return host => host === pattern
}
