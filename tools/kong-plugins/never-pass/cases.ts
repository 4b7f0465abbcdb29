import type { DriverName } from './stage.ts'

/** What is sent; `host`, `x-case` and `connection: close` come with it unless the head is whole. */
export interface Sent {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly string[]
  readonly body?: string
  readonly version?: '1.0' | '1.1'
}

export interface Case {
  readonly what: string
  /** With a key that the verifier calls good, one for each driver. */
  readonly send: (good: string) => Sent
  /** `401 API_KEY_REQUIRED`, or `passes`, or by driver where they are known to differ. */
  readonly expect: string | Readonly<Record<DriverName, string>>
}

const REQUIRED = '401 API_KEY_REQUIRED'
const INVALID = '401 API_KEY_INVALID'

const refused = (what: string, expect: Case['expect'], send: Case['send']): Case => ({ what, expect, send })
const withKey = (value: string) => ({ headers: [`x-api-key: ${value}`] })

/** Every spelling in which a client may claim to be somebody. */
export const CLAIMS = [
  'X-Consumer-Id',
  'x-consumer-id',
  'X_Consumer_Id',
  'x-consumer_id',
  'x_consumer-id',
  'X-CONSUMER-PERMISSIONS',
  'x_consumer_permissions',
  'x-consumer-username',
  'x-consumer-custom-id',
  'x-consumer-groups',
  'x-credential-identifier',
  'X_Credential_Identifier',
  'x-credential-username',
  'x-anonymous-consumer',
  'x_anonymous_consumer',
  'x-gateway-signature',
  'X-Gateway-Signature',
  'x_gateway_signature',
  'x-verify_secret',
  'x-verify-secret',
]
export const FORGED = 'forged-by-the-client'
const claims = CLAIMS.map(name => `${name}: ${FORGED}`)

const keys: readonly Case[] = [
  refused('no key', REQUIRED, () => ({})),
  refused('an empty key', REQUIRED, () => withKey('')),
  refused('a key of spaces', REQUIRED, () => withKey('   ')),
  // nginx takes only spaces off a value.
  refused('a key of a tab', { embedded: REQUIRED, nginx: INVALID }, () => withKey('\t')),
  refused('a wrong key', INVALID, () => withKey('wrong')),
  refused('two keys, both good', INVALID, good => ({ headers: [`x-api-key: ${good}`, `x-api-key: ${good}`] })),
  refused('two keys, the first good', INVALID, good => ({ headers: [`x-api-key: ${good}`, 'X-API-KEY: wrong'] })),
  refused('two keys, the last good', INVALID, good => ({ headers: ['X-Api-Key: wrong', `x-api-key: ${good}`] })),
  refused('two keys, the first empty', INVALID, good => ({ headers: ['x-api-key:', `x-api-key: ${good}`] })),
  refused('a list of good keys', INVALID, good => withKey(`${good},${good}`)),
  refused('a good key and more', INVALID, good => withKey(`${good} ${good}`)),
  refused('a good key, quoted', INVALID, good => withKey(`"${good}"`)),
  refused('a good key with a scheme', INVALID, good => withKey(`Bearer ${good}`)),
  refused('a good key in capitals', INVALID, good => withKey(good.toUpperCase())),
  refused('a good key, escaped', INVALID, good => withKey(`%79${good.slice(1)}`)),
  refused('a key with a tab', INVALID, good => withKey(`${good}\t1`)),
  refused('a key in Latin 1', INVALID, () => withKey('caf\xe9')),
  refused('a key in UTF-8', INVALID, () => withKey('\xc3\xa9')),
  refused('a key of 201 characters', INVALID, good => withKey(good.padEnd(201, 'x'))),
  refused('a key of JSON', INVALID, good => withKey(`yes","key":"${good}`)),
  refused('a key of 8 000 characters', INVALID, good => withKey(good.padEnd(8000, 'x'))),
  refused('a key of 10 000 characters', { embedded: INVALID, nginx: '400' }, good => withKey(good.padEnd(10_000, 'x'))),
  refused('a key of 100 000 characters', { embedded: '494', nginx: '400' }, good => withKey(good.padEnd(100_000, 'x'))),
]

const places: readonly Case[] = [
  refused('a key in the query', REQUIRED, good => ({
    target: `/private?x-api-key=${good}&apikey=${good}&key=${good}`,
  })),
  refused('a key in the path', REQUIRED, good => ({ target: `/private/${good}` })),
  refused('a key in a cookie', REQUIRED, good => ({ headers: [`cookie: x-api-key=${good}; apikey=${good}`] })),
  refused('a key as a token', REQUIRED, good => ({ headers: [`authorization: Bearer ${good}`] })),
  refused('a key under other names', REQUIRED, good => ({
    headers: ['apikey', 'api-key', 'x_api_key', 'X_Api-Key', 'x-apikey', 'xx-api-key'].map(name => `${name}: ${good}`),
  })),
  refused('a key in the body', REQUIRED, good => ({ method: 'POST', body: `x-api-key=${good}` })),
  refused('a key in a trailer', REQUIRED, good => ({
    method: 'POST',
    headers: ['transfer-encoding: chunked', 'trailer: x-api-key'],
    body: `1\r\na\r\n0\r\nx-api-key: ${good}\r\n\r\n`,
  })),
  refused('a key in a second request inside the body', REQUIRED, good => ({
    method: 'POST',
    body: `GET /private HTTP/1.1\r\nhost: a\r\nx-api-key: ${good}\r\n\r\n`,
  })),
  refused('a folded key', { embedded: '400', nginx: '400' }, good => ({ headers: ['x-api-key:', ` ${good}`] })),
  // A Debian nginx refuses that by itself; behind one that does not, the plugin answers 431.
  refused('a key behind 1000 fields', { embedded: '494', nginx: '400' }, good => ({
    headers: [...Array.from({ length: 1000 }, () => 'a: b'), `x-api-key: ${good}`],
  })),
]

const persons: readonly Case[] = [
  refused('who says who they are', REQUIRED, () => ({ headers: claims })),
  refused('who says who they are, with a wrong key', INVALID, () => ({ headers: [...claims, 'x-api-key: wrong'] })),
  ...CLAIMS.map(name => refused(`who says so in ${name}`, REQUIRED, () => ({ headers: [`${name}: ${FORGED}`] }))),
  refused('who hides the key from the gateway', REQUIRED, () => ({ headers: ['connection: close, x-api-key'] })),
]

const paths: readonly Case[] = [
  ...[
    '/private',
    '/private/',
    '/private/x?y=/public',
    '/public/../private',
    '/public/../private/x',
    '/public/x/../../private',
    '/public/%2e%2e/private',
    '/public/%2E./private',
    '/public/.%2e/private',
    '/public/./../private',
    '/public/..//private',
    '//private',
    '///private//x',
    '/./private',
    '/%70rivate',
    '/p%72ivat%65/x',
    '/private/../private',
    '/private/..;/public',
    '/private%2F..%2Fpublic',
    '/private/..%2fpublic',
    '/private#/public',
    '/private?/../public',
    '/privatex',
    'http://127.0.0.1/private',
    'http://anywhere/public/../private',
    'HTTP://a:80/public/%2e%2e/private?x',
  ].map(target =>
    refused(target, target.includes('#') ? { embedded: '400', nginx: REQUIRED } : REQUIRED, () => ({ target })),
  ),
  ...[
    '/Private',
    '/PRIVATE',
    '/',
    '/%50rivate',
    '/private%00',
    '/../private',
    '/public/../../private',
    '/%zz/private',
  ].map(target =>
    refused(target, target.includes('%00') || /\.\.|%zz/.test(target) ? '400' : '404', () => ({ target })),
  ),
  refused('ftp://a/private', { embedded: '400', nginx: REQUIRED }, () => ({ target: 'ftp://a/private' })),
  ...['private', '*', '\\private', '/pri vate'].map(target => refused(target, '400', () => ({ target }))),
]

/** The paths that need no key are these as they are written, whatever else a service may make of the others. */
const anonymous: readonly Case[] = [
  ...[
    '/private/free/',
    '/private/free/x',
    '/private/freedom',
    '/private/Free',
    '/private/fre',
    '/private/%66ree',
    '/private//free',
    '/private/./free',
    '/private/x/../free',
    '/private/free/../x',
    '/private/free/..;/x',
    '/private/free;x',
    '/private/free%00',
    '/private/free%3Fx',
    '/private/free%2e%2e/x',
    '/private/open',
    '/private/opened',
    '/private/open/../x',
    '/private/open/%2e%2e/x',
    '/private/open/..%2fx',
    '/private/open/..%5cx',
    '/private/open/..\\x',
    '/private/open/..;/x',
    '/private/open/x;/../../x',
    '/private/open//x',
    '/private/open/.',
    '/private/open/./x',
    '/private/open/x/..',
    '/private/open/%78',
    '/private/open/a+b',
    '/public/../private/free',
    '//private/free',
  ].map(target => refused(target, target.includes('%00') ? '400' : REQUIRED, () => ({ target }))),
  ...['/private/free', '/private/free?x=/../y', '/private/open/', '/private/open/x', '/private/open/x/.../y~_-.z/'].map(
    target => refused(`${target} without a key`, 'passes', () => ({ target })),
  ),
  refused('/private/free with claims', 'passes', () => ({ target: '/private/free', headers: claims })),
  refused('http://anywhere/private/free', 'passes', () => ({ target: 'http://anywhere/private/free' })),
]

const methods: readonly Case[] = [
  ...['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE', 'SEARCH'].map(method =>
    refused(`${method} without a key`, method === 'HEAD' ? '401' : REQUIRED, () => ({ method })),
  ),
  refused('TRACE', '405', good => ({ method: 'TRACE', ...withKey(good) })),
  refused('CONNECT', { embedded: '405', nginx: '400' }, good => ({
    method: 'CONNECT',
    target: 'a:1',
    ...withKey(good),
  })),
  refused('a method of lower case', '400', good => ({ method: 'get', ...withKey(good) })),
  refused('a pre-flight without a key', REQUIRED, () => ({
    method: 'OPTIONS',
    headers: ['origin: https://a.test', 'access-control-request-method: GET'],
  })),
  refused('another method by a header', REQUIRED, () => ({
    headers: ['x-http-method-override: OPTIONS', 'x-original-url: /public', 'x-rewrite-url: /public'],
  })),
  refused('HTTP/1.0 without a key', REQUIRED, () => ({ version: '1.0' })),
  refused('an upgrade without a key', REQUIRED, () => ({
    headers: ['upgrade: websocket', 'connection: upgrade'],
  })),
  refused('what is asked to be trusted', REQUIRED, () => ({
    headers: [
      'x-forwarded-for: 127.0.0.1',
      'x-real-ip: 127.0.0.1',
      'forwarded: for=127.0.0.1',
      'x-forwarded-prefix: /public',
    ],
  })),
  refused('chunks and a length', '400', good => ({
    method: 'POST',
    headers: [`x-api-key: ${good}`, 'transfer-encoding: chunked', 'content-length: 5'],
    body: '0\r\n\r\n',
  })),
]

const good: readonly Case[] = [
  refused('a good key', 'passes', withKey),
  refused('a good key between spaces', 'passes', good => withKey(`  ${good}  `)),
  refused('a good key in X-API-KEY', 'passes', good => ({ headers: [`X-API-KEY: ${good}`] })),
  refused('a good key, and claims', 'passes', good => ({ headers: [...claims, `x-api-key: ${good}`, ...claims] })),
  refused('a good key that the connection names', 'passes', good => ({
    headers: [`x-api-key: ${good}`, 'connection: close, x-api-key, x-consumer-id, x-gateway-signature, x-real-ip'],
  })),
  refused('a good key with 900 other fields', 'passes', good => ({
    headers: [...Array.from({ length: 900 }, () => 'a: b'), `x-api-key: ${good}`],
  })),
  refused('a good key, HTTP/1.0', 'passes', good => ({ version: '1.0', ...withKey(good) })),
  refused('a good key and a body', 'passes', good => ({ method: 'PUT', body: 'x'.repeat(5000), ...withKey(good) })),
  refused('a good key on a path with dots', 'passes', good => ({
    target: '/public/%2e%2e/%70rivate//x',
    ...withKey(good),
  })),
  refused('/public without a key', 'passes', () => ({ target: '/public' })),
  refused('/public with claims', 'passes', () => ({ target: '/public', headers: claims })),
  refused('/public/..%2fprivate, whose slash stays escaped', 'passes', () => ({ target: '/public/..%2fprivate' })),
  refused('/private/../public without a key', 'passes', () => ({ target: '/private/../public' })),
]

export const CASES: readonly Case[] = [...keys, ...places, ...persons, ...paths, ...anonymous, ...methods, ...good]

/** The bytes of a request. */
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
