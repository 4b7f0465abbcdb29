import { configError, nonEmptyString, type Section } from '../config/section.ts'
import { translateRegex } from '../routing/regex.ts'
import type { Answer } from '../server/answer.ts'
import { HeaderList } from '../server/header-fields.ts'
import type { AccessPlugin, AccessRequest, PluginKind } from './plugin.ts'

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']

/**
 * Admits web pages of other origins, and answers their preflights itself. Config:
 * - `origins` (any): origins, regular expressions (anchored on both sides), or `*`
 * - `methods` (all of HTTP), `headers` (those that the preflight asks for), `exposed_headers` (none), `max_age` (none; seconds)
 * - `credentials` (false), `private_network` (false)
 * - `preflight_continue` (false): forwards preflights to the service
 */
export const cors: PluginKind = {
  name: 'cors',
  priority: 2000,
  configure: config => new Cors(config),
}

class Cors implements AccessPlugin {
  readonly admitsPages = true
  readonly #origins: Origins
  readonly #methods: string
  readonly #headers: string
  readonly #exposed: string
  readonly #maxAge: string | undefined
  readonly #credentials: boolean
  readonly #privateNetwork: boolean
  readonly #preflightContinue: boolean

  constructor(config: Section) {
    this.#origins = readOrigins(config.list('origins', nonEmptyString) ?? [], config.at('origins'))
    this.#methods = (config.list('methods', readMethod) ?? METHODS).join(',')
    this.#headers = (config.list('headers', readFieldText) ?? []).join(',')
    this.#exposed = (config.list('exposed_headers', readFieldText) ?? []).join(',')
    const seconds = { min: 0, max: Number.MAX_SAFE_INTEGER, integer: false }
    this.#maxAge = config.has('max_age') ? String(config.number('max_age', 0, seconds)) : undefined
    this.#credentials = config.boolean('credentials', false)
    this.#privateNetwork = config.boolean('private_network', false)
    this.#preflightContinue = config.boolean('preflight_continue', false)
  }

  access(request: AccessRequest): Answer | undefined {
    if (this.#preflightContinue || !isPreflight(request)) return undefined
    const fields: string[] = []
    const headers = new HeaderList(fields)
    this.#allow(request, headers)
    const asked = request.headerValues('access-control-request-headers')[0]
    if (this.#headers !== '') headers.set('Access-Control-Allow-Headers', this.#headers)
    else if (asked !== undefined) headers.set('Access-Control-Allow-Headers', asked)
    headers.set('Access-Control-Allow-Methods', this.#methods)
    if (this.#maxAge !== undefined) headers.set('Access-Control-Max-Age', this.#maxAge)
    if (this.#privateNetwork && request.headerValues('access-control-request-private-network')[0] === 'true')
      headers.set('Access-Control-Allow-Private-Network', 'true')
    return { status: 200, headers: Object.fromEntries(pairs(fields)), body: '' }
  }

  respond(request: AccessRequest, headers: HeaderList): void {
    // A preflight already has its complete answer, from here or from the service.
    if (request.service !== undefined && isPreflight(request)) return
    this.#allow(request, headers)
    if (this.#exposed !== '') headers.set('Access-Control-Expose-Headers', this.#exposed)
  }

  #allow(request: AccessRequest, headers: HeaderList): void {
    const sent = request.headerValues('origin')[0]
    const origins = this.#origins
    if (origins.kind === 'any' && !origins.listed) {
      headers.set('Access-Control-Allow-Origin', '*')
    } else {
      // Even without the header, the answer depends on the origin.
      headers.add('Vary', 'Origin')
      const allowed = allowedOrigin(origins, sent)
      if (allowed === undefined) headers.remove('Access-Control-Allow-Origin')
      else headers.set('Access-Control-Allow-Origin', allowed)
      if (allowed !== '*') {
        if (this.#credentials) headers.set('Access-Control-Allow-Credentials', 'true')
        return
      }
    }
    // Browsers reject * together with credentials.
    if (!this.#credentials || sent === undefined) return
    headers.add('Vary', 'Origin')
    headers.set('Access-Control-Allow-Origin', sent)
    headers.set('Access-Control-Allow-Credentials', 'true')
  }
}

function allowedOrigin(origins: Origins, sent: string | undefined): string | undefined {
  if (origins.kind === 'fixed') return origins.origin
  if (sent === undefined) return undefined
  if (origins.kind === 'any') return '*'
  const origin = parseOrigin(sent)
  return origins.allows(origin) ? origin.text : undefined
}

function isPreflight(request: AccessRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headerValues('origin').length > 0 &&
    request.headerValues('access-control-request-method').length > 0
  )
}

function readMethod(value: unknown, place: string): string {
  if (typeof value === 'string' && METHODS.includes(value)) return value
  throw configError(place, `must be one of ${METHODS.join(', ')}`)
}

function readFieldText(value: unknown, place: string): string {
  const text = nonEmptyString(value, place)
  if (!/^[\x20-\x7e]+$/.test(text)) throw configError(place, 'is not a header name')
  return text
}

function* pairs(fields: readonly string[]): Iterable<[string, string]> {
  for (let i = 0; i + 1 < fields.length; i += 2) yield [fields[i] ?? '', fields[i + 1] ?? '']
}

/** What `Access-Control-Allow-Origin` says: any origin, always the same one, or the request's own if it is on the list. */
type Origins =
  | { readonly kind: 'any'; readonly listed: boolean }
  | { readonly kind: 'fixed'; readonly origin: string }
  | { readonly kind: 'listed'; readonly allows: (origin: Origin) => boolean }

/** An origin in the form in which it is compared: without the default port of its scheme. */
interface Origin {
  readonly text: string
  readonly host: string
}

/** Reads a list of `*`, origins, and regular expressions (entries with any other characters). Throws `GatewayConfigError`. */
function readOrigins(entries: readonly string[], place: string): Origins {
  const [first] = entries
  if (first === undefined || (first === '*' && entries.length === 1)) return { kind: 'any', listed: false }
  if (entries.length === 1 && isPlain(first)) return { kind: 'fixed', origin: first }
  const tests = entries.map((entry, index) => (entry === '*' ? '*' : originTest(entry, `${place}[${index}]`)))
  const rules = tests.filter(test => test !== '*')
  if (rules.length < tests.length) return { kind: 'any', listed: true }
  return { kind: 'listed', allows: origin => rules.some(rule => rule(origin)) }
}

/** `https://a.test:443` becomes `https://a.test`. A text without a host, such as `null`, stays as it is. */
function parseOrigin(text: string): Origin {
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

/** Regular expressions are anchored on both sides. Those without a colon match against the host alone. */
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
