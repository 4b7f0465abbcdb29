import { translateRegex } from '../../routing/translate-regex.ts'

/** What `Access-Control-Allow-Origin` says: any origin, always the same one, or the request's own when it is on the list. */
export type Origins =
  | { readonly kind: 'any'; readonly listed: boolean }
  | { readonly kind: 'fixed'; readonly origin: string }
  | { readonly kind: 'listed'; readonly allows: (origin: Origin) => boolean }

/** An origin as it is compared: without the default port of its scheme. */
export interface Origin {
  readonly text: string
  readonly host: string
}

/** Reads a list of `*`, origins, and (whatever has other characters) regular expressions. Throws `GatewayConfigError`. */
export function readOrigins(entries: readonly string[], place: string): Origins {
  const [first] = entries
  if (first === undefined || (first === '*' && entries.length === 1)) return { kind: 'any', listed: false }
  if (entries.length === 1 && isPlain(first)) return { kind: 'fixed', origin: first }
  const tests = entries.map((entry, index) => (entry === '*' ? '*' : originTest(entry, `${place}[${index}]`)))
  const rules = tests.filter(test => test !== '*')
  if (rules.length < tests.length) return { kind: 'any', listed: true }
  return { kind: 'listed', allows: origin => rules.some(rule => rule(origin)) }
}

/** `https://a.test:443` is `https://a.test`; what has no host, such as `null`, stays as it is. */
export function parseOrigin(text: string): Origin {
  const [, scheme, userAndHost] = /^(?:([A-Za-z0-9][A-Za-z0-9+.-]*):)?\/\/([^/?#]*)/.exec(text) ?? []
  const authority = userAndHost?.slice(userAndHost.indexOf('@') + 1) ?? ''
  const [, host = '', port = ''] = /^(.*?)(?::([^:\]]*))?$/.exec(authority) ?? []
  if (host === '') return { text, host: text }
  const isDefault = (scheme === 'http' && port === '80') || (scheme === 'https' && port === '443')
  const shownPort = port === '' || isDefault ? '' : `:${port}`
  return { text: `${scheme === undefined ? '' : `${scheme}://`}${host}${shownPort}`, host }
}

function isPlain(entry: string): boolean {
  return /^[A-Za-z0-9.:/-]+$/.test(entry)
}

/** Regular expressions are anchored on both sides; one without a colon is about the host alone. */
function originTest(entry: string, place: string): (origin: Origin) => boolean {
  if (isPlain(entry)) {
    const { text } = parseOrigin(entry)
    return origin => origin.text === text
  }
  const source = entry.replace(/^\^/, '').replace(/\$?$/, '$')
  const regex = translateRegex(source, place)
  const byHost = !entry.includes(':')
  return origin => regex.test(byHost ? origin.host : origin.text)
}
