import { type Case, CLAIMS, caseOf, claims, FORGED, INVALID, REQUIRED, withKey } from './case.ts'
import { anonymous, paths } from './paths.ts'

const keys: readonly Case[] = [
  caseOf('no key', REQUIRED, () => ({})),
  caseOf('an empty key', REQUIRED, () => withKey('')),
  caseOf('a key of spaces', REQUIRED, () => withKey('   ')),
  // nginx takes only spaces off a value.
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
  caseOf('a key of 10 000 characters', { embedded: INVALID, nginx: '400' }, good => withKey(good.padEnd(10_000, 'x'))),
  caseOf('a key of 100 000 characters', { embedded: '494', nginx: '400' }, good => withKey(good.padEnd(100_000, 'x'))),
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
  // A Debian nginx refuses that by itself; behind one that does not, the plugin answers 431.
  caseOf('a key behind 1000 fields', { embedded: '494', nginx: '400' }, good => ({
    headers: [...Array.from({ length: 1000 }, () => 'a: b'), `x-api-key: ${good}`],
  })),
]

const persons: readonly Case[] = [
  caseOf('who says who they are', REQUIRED, () => ({ headers: claims })),
  caseOf('who says who they are, with a wrong key', INVALID, () => ({ headers: [...claims, 'x-api-key: wrong'] })),
  ...CLAIMS.map(name => caseOf(`who says so in ${name}`, REQUIRED, () => ({ headers: [`${name}: ${FORGED}`] }))),
  caseOf('who hides the key from the gateway', REQUIRED, () => ({ headers: ['connection: close, x-api-key'] })),
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
  caseOf('a method of lower case', '400', good => ({ method: 'get', ...withKey(good) })),
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
  caseOf('what is asked to be trusted', REQUIRED, () => ({
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

export const CASES: readonly Case[] = [...keys, ...places, ...persons, ...paths, ...anonymous, ...methods, ...good]
