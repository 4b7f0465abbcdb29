export type HostMatcher = (host: string) => boolean

/** `example.com`, `*.example.com` or `example.*`, in lower case, matched against a lower-case host name without port. */
export function hostMatcher(pattern: string): HostMatcher {
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
