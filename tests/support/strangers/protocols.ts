import * as authContracts from '@blog-platform/auth-contract'
import * as blogContracts from '@blog-platform/blog-contract'
import { BSON } from 'mongodb'
import { proceduresIn, routeOf } from '../contracts.ts'

/** What is sent to a listener without any credentials, and the expected answer. */
export interface Attempt {
  readonly what: string
  readonly bytes: string
  readonly isRefused: (heard: string) => boolean
}

function http(port: number, route: string, headers: Readonly<Record<string, string>> = {}, body = ''): string {
  const [method, path] = [route.slice(0, route.indexOf(' ')), route.slice(route.indexOf(' ') + 1)]
  const all = { host: `127.0.0.1:${port}`, connection: 'close', 'content-length': String(body.length), ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

const refused = (...statuses: number[]) => matches(new RegExp(`^HTTP/1\\.1 (?:${statuses.join('|')}) `))
const matches = (pattern: RegExp) => (heard: string) => pattern.test(heard)

/** Only says in one word whether it is alive. */
export function service(name: string, port: number): Attempt[] {
  const procedures = proceduresIn(authContracts, blogContracts).filter(each => each.http && each.service === name)
  const said = { 'x-consumer-id': '1', 'x-consumer-permissions': 'READ,WRITE', 'x-verify-secret': 'x'.repeat(43) }
  const routes = [...procedures.map(each => routeOf(each)), 'GET /openapi.json', 'GET /docs', 'GET /nowhere']
  return [
    ...routes.flatMap(route => [
      { what: route, bytes: http(port, route), isRefused: refused(403) },
      { what: `${route} as a gateway`, bytes: http(port, route, said), isRefused: refused(403) },
    ]),
    { what: 'no address', bytes: http(port, 'GET //'), isRefused: refused(400, 403) },
    { what: 'health', bytes: http(port, 'GET /health'), isRefused: refused(200) },
  ]
}

/** The only public door: routes that require a key are refused without one, and with the key alone so are those that require a user. */
export function gateway(port: number, apiKey: string): Attempt[] {
  const key = { 'x-api-key': apiKey }
  const procedures = proceduresIn(authContracts, blogContracts).filter(each => each.http !== undefined)
  const doors = procedures.map(each => ({ access: each.access, route: routeOf(each, `/${each.service}`) }))
  return [
    ...doors
      .filter(({ access }) => access !== 'open')
      .map(({ route }) => ({ what: `${route} without a key`, bytes: http(port, route), isRefused: refused(401, 404) })),
    ...doors
      .filter(({ access }) => access === 'user' || typeof access === 'object' || access === 'internal')
      .map(({ route }) => ({
        what: `${route} with the key`,
        bytes: http(port, route, key),
        isRefused: refused(401, 404),
      })),
    { what: 'the latest', bytes: http(port, 'GET /blog/list/latest', key), isRefused: refused(200) },
    {
      what: 'another name',
      bytes: http(port, 'GET /blog/list/latest', { ...key, host: 'evil.example' }),
      isRefused: refused(400, 403, 404, 421),
    },
    { what: 'the Admin API', bytes: http(port, 'POST /config', key, '{}'), isRefused: refused(404) },
    { what: 'no address', bytes: http(port, 'GET //'), isRefused: refused(400, 404) },
  ]
}

const EVIL = '{"_format_version":"3.0","services":[]}'

/** The gateway's Admin API and the supervisor: nothing works without the token. */
export function commands(port: number, routes: readonly string[], statuses: readonly number[]): Attempt[] {
  const tokens = [
    {},
    { authorization: 'Bearer ' },
    { authorization: `Bearer ${'x'.repeat(43)}` },
    { host: 'localhost' },
  ]
  return [...routes, 'GET /', 'GET //', 'POST //', 'OPTIONS *'].flatMap(route =>
    tokens.map(headers => ({
      what: `${route} ${JSON.stringify(headers)}`,
      bytes: http(
        port,
        route,
        { ...headers, 'content-type': 'application/json' },
        route === 'POST /config' ? EVIL : '',
      ),
      isRefused: refused(400, ...statuses),
    })),
  )
}

/** The explorer: its page is for everybody, and does nothing without the token. */
export function explorer(port: number): Attempt[] {
  const routes = [
    'GET /-/catalogue',
    'GET /-/asyncapi/blog',
    'GET /-/http/blog/list/latest',
    'POST /-/http/auth/signin/basic',
  ]
  const call = '{"procedure":"auth.publicProfile","input":{}}'
  const guesses = [{}, { 'x-explorer-token': 'x'.repeat(43) }, { authorization: `Bearer ${'x'.repeat(43)}` }]
  return [...routes, 'POST /-/nats', 'GET //', 'OPTIONS *'].flatMap(route =>
    guesses.map(headers => ({
      what: `${route} ${JSON.stringify(headers)}`,
      bytes: http(
        port,
        route,
        { ...headers, 'content-type': 'application/json' },
        route === 'POST /-/nats' ? call : '',
      ),
      isRefused: refused(400, 401, 403),
    })),
  )
}

export const ADMIN_ROUTES = [
  ...['POST /config', 'GET /config', 'GET /upstreams', 'GET /upstreams/auth/health', 'GET /status', 'GET /routes'],
  ...['PUT /upstreams/auth/targets/auth-1:8001/unhealthy', 'DELETE /services/auth-service'],
]
export const CONTROL_ROUTES = ['POST /restart', 'POST /restart?service=auth', 'GET /restart', 'POST /stop']

const refusal = /^(?:-NOAUTH [^\r]*\r\n|-WRONGPASS [^\r]*\r\n|-ERR [^\r]*\r\n)+$/

export function redis(): Attempt[] {
  const lines = [
    ...['PING', 'INFO', 'KEYS *', 'CONFIG GET *', 'CONFIG SET dir /tmp', 'FLUSHALL', 'EVAL return 0', 'MONITOR'],
    ...[
      'AUTH x',
      'AUTH default x',
      'HELLO 3 AUTH default x',
      'SUBSCRIBE a',
      'SHUTDOWN NOSAVE',
      'REPLICAOF 127.0.0.1 1',
    ],
  ]
  return lines.map(what => ({ what, bytes: `${what}\r\n`, isRefused: matches(refusal) }))
}

export function nats(): Attempt[] {
  const users = [
    {},
    ...['auth', 'blog', 'gateway', 'app'].flatMap(user => [
      { user, pass: '' },
      { user, pass: user },
    ]),
  ]
  return users.map(login => ({
    what: JSON.stringify(login),
    bytes: `CONNECT ${JSON.stringify({ verbose: true, ...login })}\r\nSUB > 1\r\nPUB user.created 2\r\n{}\r\nPING\r\n`,
    // Neither +OK, PONG nor a message.
    isRefused: matches(/^INFO [^\r]*\r\n-ERR 'Authorization Violation'\r\n(?: \(ECONNRESET\))?$/),
  }))
}

export function postgres(): Attempt[] {
  const users = ['app', 'postgres', 'root', 'nobody'].flatMap(user =>
    ['app', 'postgres', 'template1'].map(database => [user, database]),
  )
  return users.map(([user = '', database = '']) => {
    const text = `\0\x03\0\0user\0${user}\0database\0${database}\0\0`
    return {
      what: `${user} at ${database}`,
      bytes: `${int32(text.length + 4)}${text}`,
      // AuthenticationSASL (10) demands a proof; AuthenticationOk would be 0.
      isRefused: heard => heard[0] === 'R' && Buffer.from(heard, 'latin1').readInt32BE(5) === 10,
    }
  })
}

function int32(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes.toString('latin1')
}

/** Unauthorized, AuthenticationFailed, ProtocolError, MechanismUnavailable, CommandNotFound. */
const REFUSALS = [13, 18, 17, 334, 59]

/** Each is a server error that says Unauthorized (13), or that this authentication mechanism does not exist. */
export function documents(): Attempt[] {
  const commands: readonly Readonly<Record<string, unknown>>[] = [
    { listDatabases: 1 },
    { serverStatus: 1 },
    { getParameter: '*' },
    { dropDatabase: 1, $db: 'blog' },
    { find: 'blogs', $db: 'blog' },
    { aggregate: 'blogs', pipeline: [], cursor: {}, $db: 'blog' },
    { insert: 'blogs', documents: [{ a: 1 }], $db: 'blog' },
    { update: 'blogs', updates: [{ q: {}, u: { $set: { a: 1 } }, multi: true }], $db: 'blog' },
    { delete: 'blogs', deletes: [{ q: {}, limit: 0 }], $db: 'blog' },
    { findAndModify: 'blogs', query: {}, remove: true, $db: 'blog' },
    { createIndexes: 'blogs', indexes: [{ key: { a: 1 }, name: 'a' }], $db: 'blog' },
    { drop: 'blogs', $db: 'blog' },
    { listCollections: 1, $db: 'blog' },
    { getMore: 1n, collection: 'blogs', $db: 'blog' },
    { shutdown: 1 },
    { saslStart: 1, mechanism: 'PLAIN', payload: Buffer.from('\0app\0x') },
    { saslContinue: 1, conversationId: 1, payload: Buffer.from('x') },
  ]
  return commands.map(command => ({
    what: Object.keys(command)[0] ?? '',
    bytes: opMsg({ $db: 'admin', ...command }),
    isRefused: heard => {
      const { ok, code } = BSON.deserialize(Buffer.from(heard, 'latin1').subarray(21))
      return ok === 0 && REFUSALS.includes(code as number)
    },
  }))
}

function opMsg(command: object): string {
  // The first field is the command's name.
  const { $db, ...rest } = command as { $db: string }
  const document = Buffer.from(BSON.serialize({ ...rest, $db }))
  const head = Buffer.alloc(21)
  for (const [index, value] of [21 + document.length, 1, 0, 2013, 0].entries()) head.writeUInt32LE(value, index * 4)
  return Buffer.concat([head, document]).toString('latin1')
}
