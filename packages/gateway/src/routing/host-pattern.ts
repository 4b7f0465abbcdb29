export interface HostPattern {
  /** Of a host name without port, in the case in which it was sent. */
  readonly matches: (host: string) => boolean
  /** Undefined matches any. */
  readonly port: number | undefined
}

/** Reads `example.com`, `*.example.com` or `example.*`, in lower case, each perhaps with a port. */
export function hostPattern(text: string): HostPattern {
  const colon = text.indexOf(':')
  if (colon === -1) return { matches: nameMatcher(text), port: undefined }
  return { matches: nameMatcher(text.slice(0, colon)), port: Number(text.slice(colon + 1)) }
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
