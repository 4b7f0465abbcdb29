/** Headers that gateways, proxies and content networks add; a direct call from within the network has none of them. */
const PROXY_HEADERS = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-path',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-original-forwarded-for',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'cdn-loop',
  'x-envoy-external-address',
  'x-gateway-signature',
]

/** True when a request came through a gateway: `internal` procedures are not there for it. */
export function isForwarded(headers: Readonly<Record<string, unknown>>): boolean {
  return PROXY_HEADERS.some(name => headers[name] !== undefined)
}
