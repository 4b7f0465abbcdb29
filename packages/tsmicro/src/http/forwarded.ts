/** Headers that a gateway or proxy adds; a direct call from within the network has none of them. */
const PROXY_HEADERS = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip']

/** True when a request came through a gateway: `internal` procedures are not there for it. */
export function isForwarded(headers: Readonly<Record<string, unknown>>): boolean {
  return PROXY_HEADERS.some(name => headers[name] !== undefined)
}
