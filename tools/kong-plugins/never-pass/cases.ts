import type { DriverName } from './drivers.ts'

/** A request. `host`, `x-case` and, unless there is another, `connection: close` are added. */
export interface Sent {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly string[]
  readonly body?: string
  readonly version?: '1.0' | '1.1'
}

export interface Case {
  readonly what: string
  /** Gets a key that the verifier accepts, a new one for each driver. */
  readonly send: (good: string) => Sent
  /** `401 API_KEY_REQUIRED`, `passes`, or one for each driver if they are known to differ. */
  readonly expect: string | Readonly<Record<DriverName, string>>
}

const REQUIRED = '401 API_KEY_REQUIRED'
const INVALID = '401 API_KEY_INVALID'

/** Splits at spaces and line breaks. */
export const words = (text: string): string[] => text.trim().split(/\s+/)
const caseOf = (what: string, expect: Case['expect'], send: Case['send']): Case => ({ what, expect, send })
const withKey = (value: string) => ({ headers: [`x-api-key: ${value}`] })

/** Every header in which a client may claim an identity. */
export const CLAIMS = words(`
  X-Consumer-Id x-consumer-id X_Consumer_Id x-consumer_id x_consumer-id X-CONSUMER-PERMISSIONS x_consumer_permissions
  x-consumer-username x-consumer-custom-id x-consumer-groups x-credential-identifier X_Credential_Identifier
  x-credential-username x-anonymous-consumer x_anonymous_consumer
  x-gateway-signature X-Gateway-Signature x_gateway_signature x-verify_secret x-verify-secret
`)
export const FORGED = 'forged-by-the-client'
const claims = CLAIMS.map(name => `${name}: ${FORGED}`)

/** Returns the bytes of a request. */
export function bytesOf(
  { method = 'GET', target = '/private', headers = [], body, version = '1.1' }: Sent,
  id: string,
): string {
  const has = (name: string) => headers.some(line => line.toLowerCase().startsWith(`${name}:`))
  const lines = [`${method} ${target} HTTP/${version}`, 'host: gateway.test', `x-case: ${id}`, ...headers]
  if (!has('connection')) lines.push('connection: close')
  if (body !== undefined && !has('content-length') && !has('transfer-encoding'))
    lines.push(`content-length: ${body.length}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

const keys: readonly Case[] = [
  caseOf('no key', REQUIRED, () => ({})),
  caseOf('an empty key', REQUIRED, () => withKey('')),
  caseOf('a key of spaces', REQUIRED, () => withKey('   ')),
  // nginx only trims spaces.
  caseOf('a key of a tab', { embedded: REQUIRED, nginx: INVALID }, () => withKey('\t')),
  caseOf('a wrong key', INVALID, () => withKey('wrong')),
  caseOf('two keys, both good', INVALID, good => ({ headers: [`x-api-key: ${good}`, `x-api-key: ${good}`] })),
  caseOf('two keys, the first good', INVALID, good => ({ headers: [`x-api-key: ${good}`, 'X-API-KEY: wrong'] })),
  caseOf('two keys, the last good', INVALID, good => ({ headers: ['X-Api-Key: wrong', `x-api-key: ${good}`] })),
  caseOf('two keys, the first empty', INVALID, good => ({ headers: ['x-api-key:', `x-api-key: ${good}`] })),
  caseOf('a list of good keys', INVALID, good => withKey(`${good},${good}`)),
  caseOf('a good key and more', INVALID, good => withKey(`${good} ${good}`)),
  caseOf('a good key, quoted', INVALID, good => withKey(`"${good}"`)),
  caseOf('a good key with a scheme', INVALID, good => withKey(`Bearer ${good}`)),
  caseOf('a good key in capitals', INVALID, good => withKey(good.toUpperCase())),
  caseOf('a good key, escaped', INVALID, good => withKey(`%79${good.slice(1)}`)),
  caseOf('a key with a tab', INVALID, good => withKey(`${good}\t1`)),
  caseOf('a key in Latin 1', INVALID, () => withKey('caf\xe9')),
  caseOf('a key in UTF-8', INVALID, () => withKey('\xc3\xa9')),
  caseOf('a key of 201 characters', INVALID, good => withKey(good.padEnd(201, 'x'))),
  caseOf('a key of JSON', INVALID, good => withKey(`yes","key":"${good}`)),
  caseOf('a key of 8 000 characters', INVALID, good => withKey(good.padEnd(8000, 'x'))),
  caseOf('a key of 10 000 characters', '400', good => withKey(good.padEnd(10_000, 'x'))),
  caseOf('a key of 100 000 characters', '400', good => withKey(good.padEnd(100_000, 'x'))),
]

const places: readonly Case[] = [
  caseOf('a key in the query', REQUIRED, good => ({
    target: `/private?x-api-key=${good}&apikey=${good}&key=${good}`,
  })),
  caseOf('a key in the path', REQUIRED, good => ({ target: `/private/${good}` })),
  caseOf('a key in a cookie', REQUIRED, good => ({ headers: [`cookie: x-api-key=${good}; apikey=${good}`] })),
  caseOf('a key as a token', REQUIRED, good => ({ headers: [`authorization: Bearer ${good}`] })),
  caseOf('a key under other names', REQUIRED, good => ({
    headers: ['apikey', 'api-key', 'x_api_key', 'X_Api-Key', 'x-apikey', 'xx-api-key'].map(name => `${name}: ${good}`),
  })),
  caseOf('a key in the body', REQUIRED, good => ({ method: 'POST', body: `x-api-key=${good}` })),
  caseOf('a key in a trailer', REQUIRED, good => ({
    method: 'POST',
    headers: ['transfer-encoding: chunked', 'trailer: x-api-key'],
    body: `1\r\na\r\n0\r\nx-api-key: ${good}\r\n\r\n`,
  })),
  caseOf('a key in a second request inside the body', REQUIRED, good => ({
    method: 'POST',
    body: `GET /private HTTP/1.1\r\nhost: a\r\nx-api-key: ${good}\r\n\r\n`,
  })),
  caseOf('a folded key', { embedded: '400', nginx: '400' }, good => ({ headers: ['x-api-key:', ` ${good}`] })),
  // Debian's nginx refuses this itself. With other versions, the plugin answers 431.
  caseOf('a key behind 1000 fields', { embedded: '431', nginx: '400' }, good => ({
    headers: [...Array.from({ length: 1000 }, () => 'a: b'), `x-api-key: ${good}`],
  })),
]

const claimants: readonly Case[] = [
  caseOf('a client that claims an identity', REQUIRED, () => ({ headers: claims })),
  caseOf('a client that claims an identity, with a wrong key', INVALID, () => ({
    headers: [...claims, 'x-api-key: wrong'],
  })),
  ...CLAIMS.map(name =>
    caseOf(`a client that claims an identity in ${name}`, REQUIRED, () => ({ headers: [`${name}: ${FORGED}`] })),
  ),
  caseOf('a connection that hides the key from the gateway', REQUIRED, () => ({
    headers: ['connection: close, x-api-key'],
  })),
]

const methods: readonly Case[] = [
  ...['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE', 'SEARCH'].map(method =>
    caseOf(`${method} without a key`, method === 'HEAD' ? '401' : REQUIRED, () => ({ method })),
  ),
  caseOf('TRACE', '405', good => ({ method: 'TRACE', ...withKey(good) })),
  caseOf('CONNECT', { embedded: '405', nginx: '400' }, good => ({
    method: 'CONNECT',
    target: 'a:1',
    ...withKey(good),
  })),
  caseOf('a method in lower case', '400', good => ({ method: 'get', ...withKey(good) })),
  caseOf('a pre-flight without a key', REQUIRED, () => ({
    method: 'OPTIONS',
    headers: ['origin: https://a.test', 'access-control-request-method: GET'],
  })),
  caseOf('another method by a header', REQUIRED, () => ({
    headers: ['x-http-method-override: OPTIONS', 'x-original-url: /public', 'x-rewrite-url: /public'],
  })),
  caseOf('HTTP/1.0 without a key', REQUIRED, () => ({ version: '1.0' })),
  caseOf('an upgrade without a key', REQUIRED, () => ({
    headers: ['upgrade: websocket', 'connection: upgrade'],
  })),
  caseOf('headers of trusted proxies', REQUIRED, () => ({
    headers: [
      'x-forwarded-for: 127.0.0.1',
      'x-real-ip: 127.0.0.1',
      'forwarded: for=127.0.0.1',
      'x-forwarded-prefix: /public',
    ],
  })),
  caseOf('chunks and a length', '400', good => ({
    method: 'POST',
    headers: [`x-api-key: ${good}`, 'transfer-encoding: chunked', 'content-length: 5'],
    body: '0\r\n\r\n',
  })),
]

const good: readonly Case[] = [
  caseOf('a good key', 'passes', withKey),
  caseOf('a good key between spaces', 'passes', good => withKey(`  ${good}  `)),
  caseOf('a good key in X-API-KEY', 'passes', good => ({ headers: [`X-API-KEY: ${good}`] })),
  caseOf('a good key, and claims', 'passes', good => ({ headers: [...claims, `x-api-key: ${good}`, ...claims] })),
  caseOf('a good key that the connection names', 'passes', good => ({
    headers: [`x-api-key: ${good}`, 'connection: close, x-api-key, x-consumer-id, x-gateway-signature, x-real-ip'],
  })),
  ...[
    'x-request-id',
    'authorization',
    'X-Consumer-Id',
    'x-gateway-signature',
    'x-verify-secret',
    'host, content-length',
  ].map(name =>
    caseOf(`a good key, and a connection that names ${name}`, 'passes', good => ({
      method: 'POST',
      body: 'a',
      headers: [
        `x-api-key: ${good}`,
        'x-request-id: r',
        'authorization: Bearer t',
        'connection: keep-alive',
        `connection: ${name},,close`,
      ],
    })),
  ),
  caseOf('a path without a key, and a connection that names what is signed', 'passes', () => ({
    target: '/public',
    headers: ['x-request-id: r', 'authorization: Bearer t', 'connection: close, Authorization , x-request-id'],
  })),
  caseOf('a good key with 900 other fields', 'passes', good => ({
    headers: [...Array.from({ length: 900 }, () => 'a: b'), `x-api-key: ${good}`],
  })),
  caseOf('a good key, HTTP/1.0', 'passes', good => ({ version: '1.0', ...withKey(good) })),
  caseOf('a good key and a body', 'passes', good => ({ method: 'PUT', body: 'x'.repeat(5000), ...withKey(good) })),
  caseOf('a good key on a path with dots', 'passes', good => ({
    target: '/public/%2e%2e/%70rivate//x',
    ...withKey(good),
  })),
  caseOf('/public without a key', 'passes', () => ({ target: '/public' })),
  caseOf('/public with claims', 'passes', () => ({ target: '/public', headers: claims })),
  caseOf('/public/..%2fprivate, whose slash stays escaped', 'passes', () => ({ target: '/public/..%2fprivate' })),
  caseOf('/private/../public without a key', 'passes', () => ({ target: '/private/../public' })),
]

const paths: readonly Case[] = [
  ...words(`
    /private /private/ /private/x?y=/public
    /public/../private /public/../private/x /public/x/../../private /public/%2e%2e/private /public/%2E./private
    /public/.%2e/private /public/./../private /public/..//private
    //private ///private//x /./private /%70rivate /p%72ivat%65/x /private/../private
    /private/..;/public /private%2F..%2Fpublic /private/..%2fpublic /private#/public /private?/../public /privatex
    http://127.0.0.1/private http://anywhere/public/../private HTTP://a:80/public/%2e%2e/private?x
  `).map(target =>
    caseOf(target, target.includes('#') ? { embedded: '400', nginx: REQUIRED } : REQUIRED, () => ({ target })),
  ),
  ...words('/Private /PRIVATE / /%50rivate /private%00 /../private /public/../../private /%zz/private').map(target =>
    caseOf(target, target.includes('%00') || /\.\.|%zz/.test(target) ? '400' : '404', () => ({ target })),
  ),
  caseOf('ftp://a/private', { embedded: '400', nginx: REQUIRED }, () => ({ target: 'ftp://a/private' })),
  ...['private', '*', '\\private', '/pri vate'].map(target => caseOf(target, '400', () => ({ target }))),
]

/** Paths need no key only if they are written exactly like this, however a service may read the others. */
const anonymous: readonly Case[] = [
  ...words(String.raw`
    /private/free/ /private/free/x /private/freedom /private/Free /private/fre /private/%66ree /private//free
    /private/./free /private/x/../free /private/free/../x /private/free/..;/x /private/free;x /private/free%00
    /private/free%3Fx /private/free%2e%2e/x
    /private/open /private/opened /private/open/../x /private/open/%2e%2e/x /private/open/..%2fx /private/open/..%5cx
    /private/open/..\x /private/open/..;/x /private/open/x;/../../x /private/open//x /private/open/.
    /private/open/./x /private/open/x/.. /private/open/%78 /private/open/a+b
    /public/../private/free //private/free
  `).map(target => caseOf(target, target.includes('%00') ? '400' : REQUIRED, () => ({ target }))),
  ...['/private/free', '/private/free?x=/../y', '/private/open/', '/private/open/x', '/private/open/x/.../y~_-.z/'].map(
    target => caseOf(`${target} without a key`, 'passes', () => ({ target })),
  ),
  caseOf('/private/free with claims', 'passes', () => ({ target: '/private/free', headers: claims })),
  caseOf('http://anywhere/private/free', 'passes', () => ({ target: 'http://anywhere/private/free' })),
]

export const CASES: readonly Case[] = [...keys, ...places, ...claimants, ...paths, ...anonymous, ...methods, ...good]
