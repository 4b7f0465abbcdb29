import type { KongRoute } from '../src/index.ts'
import type { SendOptions } from './support.ts'

/**
 * A request as `GET /path`, and its outcome: the name of the route; that name with the rest of the path that the upstream sees
 * (`foo/bar`); or the status of a refusal.
 */
export type RoutingCase = readonly [request: string, outcome: string, headers?: SendOptions['headers']]

export interface RoutingGroup {
  readonly rule: string
  /** By the names in the outcomes. The routes themselves only have a name if it is given, because most rules do not need one. */
  readonly routes: Readonly<Record<string, KongRoute>>
  readonly cases: readonly RoutingCase[]
  /** Whether the outcome depends on the order in the config. Otherwise, the reverse order is tested too. */
  readonly ordered?: true
}

const host = (name: string) => ({ host: name })
const WORDS = { Word: ['one'] }

export const GROUPS: readonly RoutingGroup[] = [
  {
    rule: 'a plain path is a case-sensitive prefix',
    routes: { foo: { paths: ['/foo'] }, slash: { paths: ['/sl/'] } },
    cases: [
      ['GET /foo', 'foo'],
      ['GET /foobar', 'foo/bar'],
      ['GET /foo/bar', 'foo/bar'],
      ['GET /foo/', 'foo/'],
      ['GET /foo?a=/sl/', 'foo?a=/sl/'],
      ['GET /Foo', '404'],
      ['GET /a/foo', '404'],
      ['GET /sl', '404'],
      ['GET /sl/', 'slash/'],
      ['GET /sl/x', 'slash/x'],
    ],
  },
  {
    rule: 'a regular expression is anchored at its start only',
    routes: { exact: { paths: ['~/auth/health$'] }, open: { paths: ['~/v\\d+/(?P<what>[a-z\\-]+)'] } },
    cases: [
      ['GET /auth/health', 'exact'],
      ['GET /auth/health/', '404'],
      ['GET /auth/healthy', '404'],
      ['GET /x/auth/health', '404'],
      ['GET /v12/a-b/more', 'open/more'],
      ['GET /v12/a-bMore', 'open/More'],
      ['GET /v/a', '404'],
      ['GET /V12/a', '404'],
    ],
  },
  {
    rule: 'paths are matched and forwarded in their normal form; %2F is not a slash',
    routes: {
      open: { paths: ['/public'] },
      shut: { paths: ['/private'] },
      file: { paths: ['~/files/[^/]+$'], strip_path: false },
    },
    cases: [
      ['GET /public/../private', 'shut'],
      ['GET /public/%2e%2E/private', 'shut'],
      ['GET /public//../private', 'shut'],
      ['GET //private//x', 'shut/x'],
      ['GET /./private/.', 'shut/'],
      ['GET /%70riv%61te', 'shut'],
      ['GET /private/a%2fb', 'shut/a%2Fb'],
      ['GET /private/a%20b', 'shut/a%20b'],
      ['GET /private;a', 'shut/;a'],
      ['GET /public%2F..%2Fprivate', 'open/%2F..%2Fprivate'],
      ['GET /public/%2e%2e%2fprivate', 'open/..%2Fprivate'],
      ['GET /%2570rivate', '404'],
      ['GET /private/../..', '400'],
      ['GET /../private', '400'],
      ['GET /private%00', '400'],
      ['GET /private%zz', '400'],
      ['GET /files/a%2Fb', 'file/files/a%2Fb'],
      ['GET /files/a/b', '404'],
      ['GET /files/a/../b', 'file/files/b'],
    ],
  },
  {
    rule: 'methods',
    routes: {
      get: { paths: ['/m'], methods: ['GET'] },
      write: { paths: ['/m'], methods: ['POST', 'PUT'] },
      any: { paths: ['/m'] },
      remove: { methods: ['DELETE'] },
    },
    cases: [
      ['GET /m', 'get'],
      ['POST /m', 'write'],
      ['PUT /m', 'write'],
      ['PATCH /m', 'any'],
      ['OPTIONS /m', 'any'],
      // One kind each: the length of a path counts, a method does not.
      ['DELETE /m', 'any'],
      ['DELETE /elsewhere', 'remove/elsewhere'],
      ['GET /elsewhere', '404'],
    ],
  },
  {
    rule: 'hosts, case-sensitive and whatever their port, with a wildcard at either end',
    routes: { plain: { hosts: ['a.test'] }, left: { hosts: ['*.b.test'] }, right: { hosts: ['c.*'] } },
    cases: [
      ['GET /', 'plain', host('a.test')],
      ['GET /', 'plain', host('a.test:99')],
      ['GET /', '404', host('A.Test:99')],
      ['GET /', '404', host('x.a.test')],
      ['GET /', 'left', host('x.b.test')],
      ['GET /', 'left', host('x.y.b.test:80')],
      ['GET /', 'left', host('X.b.test')],
      ['GET /', '404', host('x.B.test')],
      ['GET /', '404', host('b.test')],
      ['GET /', '404', host('xb.test')],
      ['GET /', 'right', host('c.anything')],
      ['GET /', 'right', host('c.d.e')],
      ['GET /', '404', host('cc.test')],
      ['GET /', '404', host('c')],
    ],
  },
  {
    rule: 'a host with a port asks for it',
    routes: { one: { hosts: ['p.test:8443'] }, wild: { hosts: ['*.p.test:8443'] } },
    cases: [
      ['GET /', 'one', host('p.test:8443')],
      ['GET /', '404', host('p.test:8444')],
      ['GET /', '404', host('p.test')],
      ['GET /', 'wild', host('x.p.test:8443')],
      ['GET /', '404', host('x.p.test:80')],
    ],
  },
  {
    rule: 'headers: one value of every name, whatever its case; ~* is a regular expression that matches anywhere',
    routes: {
      version: { paths: ['/h'], headers: { 'X-Version': ['v1', 'V2'] } },
      phone: { paths: ['/h'], headers: { 'User-Agent': ['~*^(android|iphone)', '~*[A-Z]+-Mobile'] } },
      both: { paths: ['/h'], headers: { 'x-version': ['v1'], other: ['x'] } },
      rest: { paths: ['/h'] },
    },
    cases: [
      ['GET /h', 'rest'],
      ['GET /h', 'version', { 'x-version': 'V1' }],
      ['GET /h', 'version', { 'X-VERSION': 'v2' }],
      ['GET /h', 'version', { 'x-version': ['v9', 'v1'] }],
      ['GET /h', 'rest', { 'x-version': 'v1, v2' }],
      ['GET /h', 'rest', { 'x-version': 'v11' }],
      ['GET /h', 'phone', { 'user-agent': 'iPhone 20' }],
      ['GET /h', 'phone', { 'user-agent': 'Opera-Mobile' }],
      ['GET /h', 'rest', { 'user-agent': 'my iPhone' }],
      ['GET /h', 'both', { 'x-version': 'v1', other: 'X' }],
      ['GET /h', 'rest', { other: 'x' }],
    ],
  },
  {
    rule: 'a route for https only is found as any other, and then refused',
    routes: { tls: { paths: ['/a/b'], protocols: ['https'] }, open: { paths: ['/a'] } },
    cases: [
      ['GET /a/b', '426'],
      ['GET /a/c', 'open/c'],
    ],
  },
  {
    rule: 'all four kinds of attributes win, then plain hosts, then a regular expression, and only then more kinds',
    routes: {
      long: { paths: ['/a/b/c'] },
      regex: { paths: ['~/a/b/c'], regex_priority: 9 },
      kinds: { paths: ['/a'], methods: ['GET'] },
      hosts: { hosts: ['x.test'] },
      three: { paths: ['/'], methods: ['GET'], headers: WORDS },
      four: { paths: ['/'], methods: ['PUT'], headers: WORDS, hosts: ['*.test'] },
    },
    cases: [
      ['PUT /a/b/c', 'four/a/b/c', { ...host('x.test'), word: 'one' }],
      ['GET /a/b/c', 'hosts/a/b/c', { ...host('x.test'), word: 'one' }],
      ['GET /a/b/c', 'regex', { ...host('y.test'), word: 'one' }],
      ['GET /a/b', 'three/a/b', { ...host('y.test'), word: 'one' }],
      ['GET /a/b', 'kinds/b', host('y.test')],
    ],
  },
  {
    rule: 'of one kind each: plain host, regular expression, header, prefix; the rest has no weight',
    routes: {
      plain: { hosts: ['x.test'] },
      wild: { hosts: ['*.test'] },
      header: { headers: WORDS },
      regex: { paths: ['~/a'] },
      prefix: { paths: ['/a'] },
    },
    cases: [
      ['GET /a', 'plain/a', { ...host('x.test'), word: 'one' }],
      ['GET /a', 'regex', { ...host('y.test'), word: 'one' }],
      ['GET /b', 'header/b', { ...host('y.test'), word: 'one' }],
      ['GET /b', 'wild/b', host('y.test')],
      ['GET /b', '404', host('y')],
    ],
  },
  {
    rule: 'hosts that are all plain win over some, and over header names',
    routes: {
      plain: { hosts: ['x.test'], headers: WORDS },
      mixed: { hosts: ['x.test', '*.y.test'], headers: { ...WORDS, more: ['1'] } },
    },
    cases: [
      ['GET /', 'plain', { ...host('x.test'), word: 'one', more: '1' }],
      ['GET /', 'mixed', { ...host('z.y.test'), word: 'one', more: '1' }],
    ],
  },
  {
    rule: 'a regular expression wins over more header names',
    routes: {
      names: { paths: ['/a'], headers: { ...WORDS, more: ['1'] } },
      regex: { paths: ['~/a/b'], headers: WORDS, regex_priority: 5 },
    },
    cases: [
      ['GET /a/b', 'regex', { word: 'one', more: '1' }],
      ['GET /a/c', 'names/c', { word: 'one', more: '1' }],
    ],
  },
  {
    rule: 'regular expressions win over prefixes, by regex_priority among themselves; prefixes by length alone',
    routes: {
      low: { paths: ['~/a/b'], regex_priority: 1 },
      high: { paths: ['~/a/(b|c)'], regex_priority: 2 },
      long: { paths: ['/a/b/c/d', '/x/y'] },
      short: { paths: ['/x'], regex_priority: 9 },
    },
    cases: [
      ['GET /a/b/c/d', 'high/c/d'],
      ['GET /a/b', 'high'],
      ['GET /x/y/z', 'long/z'],
      ['GET /x/z', 'short/z'],
    ],
  },
  {
    rule: 'each path of a route has a place of its own',
    routes: { mixed: { paths: ['/z', '/a/b/c', '~/r'] }, other: { paths: ['/a/b', '/r/s'] } },
    cases: [
      ['GET /a/b/c', 'mixed'],
      ['GET /a/b/d', 'other/d'],
      ['GET /r/s', 'mixed/s'],
    ],
  },
  {
    // Their ids: alpha dcf4252b…, beta ce1342b2…, one 53fcb17a…, two e0b0d1b3… with the parts 22ccbd9f… and 40d95fca….
    rule: 'on a tie the highest of the ids wins that Kong makes of the names; of a route in parts, of each part',
    routes: {
      alpha: { name: 'alpha', paths: ['~/t'] },
      beta: { name: 'beta', paths: ['~/t/'] },
      one: { name: 'one', paths: ['/a'] },
      two: { name: 'two', paths: ['/long', '/a'] },
    },
    cases: [
      ['GET /t/', 'alpha/'],
      ['GET /a', 'one'],
      ['GET /longer', 'two/er'],
    ],
  },
  {
    rule: 'on a tie without names, which Kong leaves to chance, the first of the config wins',
    routes: { named: { name: 'one', paths: ['/n'] }, first: { paths: ['/a', '/n'] }, second: { paths: ['/a'] } },
    ordered: true,
    cases: [
      ['GET /a', 'first'],
      ['GET /n', 'named'],
    ],
  },
]
