import fc from 'fast-check'
import { gatewaySignature, SIGNED_HEADERS } from 'tsmicro/internal'
import { SECRET } from './drivers.ts'

const SIGNATURE = 'x-gateway-signature'

type Line = readonly [name: string, value: string]

export interface Request {
  readonly method: string
  readonly target: string
  readonly lines: readonly Line[]
}

/** Returns what a service reads in the signed parts of a request; undefined if they are ambiguous. */
function readingOf(bytes: string): string | undefined {
  // Line ends before a request are skipped.
  const [head = ''] = bytes.replace(/^[\r\n]+/, '').split('\r\n\r\n', 1)
  const [first = '', ...lines] = head.split('\r\n')
  const [, method, target] = /^([A-Z]+) +([!-~\x80-\xff]+) +HTTP\/\d\.\d$/.exec(first) ?? []
  if (method === undefined || target === undefined) return undefined
  const values = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined) return undefined
    const before = values.get(name.toLowerCase())
    if (before === undefined) values.set(name.toLowerCase(), value)
    else if (name.toLowerCase() !== 'authorization') values.set(name.toLowerCase(), `${before}, ${value}`)
  }
  return JSON.stringify([method, target, ...[...SIGNED_HEADERS, SIGNATURE].map(name => values.get(name) ?? '')])
}

export function bytesOf({ method, target, lines }: Request): string {
  const body = method === 'POST' || method === 'PUT' ? '{}' : ''
  const about = body === '' ? [] : ['content-type: application/json', `content-length: ${body.length}`]
  const head = [`${method} ${target} HTTP/1.1`, 'host: shop', 'connection: close', ...about]
  return `${[...head, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n${body}`
}

/** Whether both requests are the same to a service, so that the signature of one is valid for the other. */
export function isSame(bytes: string, signed: Request): boolean {
  return readingOf(bytes) === readingOf(bytesOf(signed))
}

const word = fc.stringMatching(/^[\w.-]{1,12}$/)
const values: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'x-request-id': word,
  'x-real-ip': fc.ipV4(),
  'x-consumer-id': fc.oneof(word, fc.constant('jos\xe9'), fc.constant('a, b')),
  'x-consumer-permissions': fc.constantFrom('READ', 'READ,WRITE', ''),
  authorization: word.map(token => `Bearer ${token}`),
}

const unsigned: fc.Arbitrary<Request> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'DELETE'),
    query: fc.constantFrom('', '?a=1', '?a=1&b=2', '?a=%20', '?'),
    // Every procedure on this path requires an API key.
    headers: fc.record(values, { requiredKeys: ['x-consumer-id'] }),
  })
  .map(({ method, query, headers }) => ({
    method,
    target: `/private/echo${method === 'GET' ? query : ''}`,
    lines: Object.entries(headers).filter((line): line is [string, string] => line[1] !== undefined),
  }))

export function signed(request: Request, seconds?: number): Request {
  const headers = Object.fromEntries(request.lines)
  const { method, target: url } = request
  return {
    ...request,
    lines: [...request.lines, [SIGNATURE, gatewaySignature(SECRET, { method, url, headers }, seconds)]],
  }
}

const anyLine = (request: Request, at: number) => at % request.lines.length
const withLines = (request: Request, change: (line: Line, index: number) => readonly Line[]): Request => ({
  ...request,
  lines: request.lines.flatMap(change),
})
const withLine = (request: Request, at: number, change: (line: Line) => readonly Line[]) =>
  withLines(request, (line, index) => (index === anyLine(request, at) ? change(line) : [line]))
const withSignature = (request: Request, change: (value: string) => string) =>
  withLines(request, ([name, value]) => [[name, name === SIGNATURE ? change(value) : value]])
const withoutSignature = (request: Request) => withLines(request, line => (line[0] === SIGNATURE ? [] : [line]))
const nowSeconds = () => Math.floor(Date.now() / 1000)

/** What an attacker may make of a signed request. */
type Forgery = (request: Request, at: number, text: string, other: Request) => Request

const FORGERIES: Readonly<Record<string, Forgery>> = {
  nothing: request => request,
  'another method': (request, at) => ({
    ...request,
    method: ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'][at % 6] ?? '',
  }),
  'another path': (request, at) => ({
    ...request,
    target: request.target.replace('echo', ['free', 'Echo', 'echo/', '/echo', './echo'][at % 5] ?? ''),
  }),
  'the same path, written in another way': (request, at) => ({
    ...request,
    target: [request.target.replace('e', '%65'), `http://shop${request.target}`, `${request.target}#x`][at % 3] ?? '',
  }),
  'another query': (request, _, text) => ({
    ...request,
    target: `${request.target}${request.target.includes('?') ? '&' : '?'}${text}`,
  }),
  'the query without a character': request => ({ ...request, target: request.target.slice(0, -1) }),
  'a header less': (request, at) => withLine(request, at, () => []),
  'a header twice': (request, at, text) => withLine(request, at, line => [line, [line[0], text]]),
  'a header twice, the other first': (request, at, text) =>
    withLine(request, at, line => [[line[0].toUpperCase(), text], line]),
  'another value': (request, at, text) => withLine(request, at, ([name]) => [[name, text]]),
  'a longer value': (request, at, text) => withLine(request, at, ([name, value]) => [[name, value + text]]),
  'the value of another header': (request, at) =>
    withLine(request, at, ([name]) => [[name, request.lines[anyLine(request, at + 1)]?.[1] ?? '']]),
  'a header more': (request, at, text) => ({
    ...request,
    lines: [[SIGNED_HEADERS[at % SIGNED_HEADERS.length] ?? '', text], ...request.lines],
  }),
  'headers in another order': request => ({ ...request, lines: request.lines.toReversed() }),
  'names in capitals': request => withLines(request, ([name, value]) => [[name.toUpperCase(), value]]),
  'spaces around the values': request => withLines(request, ([name, value]) => [[name, ` \t${value}  `]]),
  'names with underscores': request => withLines(request, ([name, value]) => [[name.replaceAll('-', '_'), value]]),
  'the signature of another request': (request, _, __, other) =>
    withSignature(request, () => other.lines.find(([name]) => name === SIGNATURE)?.[1] ?? ''),
  'signed too long ago': (request, at) => signed(withoutSignature(request), nowSeconds() - 31 - (at % 100_000)),
  'signed for later': (request, at) => signed(withoutSignature(request), nowSeconds() + 120 + (at % 100_000)),
  'the signature with another time': (request, at) =>
    withSignature(request, value => value.replace(/\d{10}/, seconds => String(Number(seconds) + (at % 61) - 30))),
  'the signature with another digit': (request, at) =>
    withSignature(request, value =>
      value.replace(
        /[0-9a-f]{64}/,
        hex => hex.slice(0, at % 64) + ((at >> 6) % 16).toString(16) + hex.slice((at % 64) + 1),
      ),
    ),
  'the signature in capitals': request => withSignature(request, value => value.toUpperCase()),
  'the signature in two lines': request => withSignature(request, value => value.replace('.', '.\r\n ')),
  'the signature with a space': (request, at) =>
    withSignature(request, value => `${value.slice(0, at % value.length)} ${value.slice(at % value.length)}`),
}

export interface Forged {
  readonly how: string
  /** Signs a request now, and returns it with the bytes of its forgery. */
  readonly make: () => { readonly signed: Request; readonly bytes: string }
}

/** Signed requests with their forgeries: one of those above, or a single byte replaced, inserted or removed anywhere. */
export const forged: fc.Arbitrary<Forged> = fc
  .record({
    request: unsigned,
    other: unsigned,
    how: fc.constantFrom(...Object.keys(FORGERIES), ...Array.from({ length: 8 }, () => 'a byte')),
    at: fc.nat(),
    text: fc.constantFrom('x', 'admin', 'WRITE', 'Bearer other', '0', ''),
    byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 9, 10, 13, 32, 44, 45, 48, 58, 95)),
    cut: fc.constantFrom(0, 1),
    fill: fc.boolean(),
  })
  .map(({ request, other, how, at, text, byte, cut, fill }) => ({
    how,
    make: () => {
      const original = signed(request)
      const forgery = FORGERIES[how]
      if (forgery !== undefined) return { signed: original, bytes: bytesOf(forgery(original, at, text, signed(other))) }
      const bytes = bytesOf(original)
      const place = at % bytes.length
      const filled = fill ? String.fromCharCode(byte) : ''
      return { signed: original, bytes: bytes.slice(0, place) + filled + bytes.slice(place + cut) }
    },
  }))
