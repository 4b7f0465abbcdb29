import type { ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { type Served, serve } from '../serve.ts'
import { jsonOf } from './wire.ts'

const YES = '{"valid":true,"id":"somebody","permissions":["READ"]}'
const yesWith = (member: string, value: unknown) => JSON.stringify({ ...JSON.parse(YES), [member]: value })
const json = (res: ServerResponse, status: number, body: string) =>
  void res.writeHead(status, { 'content-type': 'application/json' }).end(body)
/** Sends bytes that may not be HTTP, and closes the connection. */
const raw = (res: ServerResponse, bytes: string) => void res.socket?.end(bytes, 'latin1')

function every(res: ServerResponse, ms: number, write: () => void): void {
  const timer = setInterval(write, ms)
  res.on('close', () => clearInterval(timer))
}

/** What a verifier may do when it is asked. Only `yes` lets a request pass; few of the others reject the key. */
export const ANSWERS = {
  /** The consumer has the name of the key. */
  yes: (res, key) => json(res, 200, yesWith('id', key)),
  no: res => json(res, 200, '{"valid":false}'),
  no401: res => json(res, 401, YES),
  forbidden: res => json(res, 200, yesWith('permissions', ['WRITE'])),
  nothingPermitted: res => json(res, 200, yesWith('permissions', [])),
  /** Lua cannot tell it from an empty list. */
  emptyObjectPermitted: res => json(res, 200, yesWith('permissions', {})),
  hangs: () => {},
  late: res => void setTimeout(() => json(res, 200, YES), 4000).unref(),
  drips: res => {
    res.writeHead(200, { 'content-length': YES.length + 400 })
    every(res, 50, () => res.write(' '))
  },
  dripsHeaders: res => {
    res.socket?.write('HTTP/1.1 200 OK\r\n')
    every(res, 50, () => res.socket?.write('x: y\r\n'))
  },
  endless: res => {
    res.writeHead(200)
    every(res, 20, () => res.write(' '.repeat(4000)))
  },
  /** Followed by a yes for the next question on this connection. */
  noAndThenYes: res => {
    const head = (body: string) =>
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
    const no = '{"valid":false}'
    res.socket?.write(`${head(no)}${no}${head(YES)}${YES}`)
  },
  closes: res => void res.socket?.destroy(),
  closesHalfWay: res => raw(res, `HTTP/1.1 200 OK\r\ncontent-length: ${YES.length}\r\n\r\n${YES.slice(0, -1)}`),
  closesInHeaders: res => raw(res, 'HTTP/1.1 200 OK\r\ncontent-le'),
  statusOnly: res => raw(res, 'HTTP/1.1 200 OK'),
  junk: res => raw(res, '\x16\x03\x01\x02\x00\x01\x00'),
  otherProtocol: res => raw(res, `220 ready ESMTP\r\n\r\n${YES}`),
  nothingButYes: res => raw(res, YES),
  html: res => void res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome to nginx!</h1>'),
  empty: res => json(res, 200, ''),
  emptyObject: res => json(res, 200, '{}'),
  brokenJson: res => json(res, 200, YES.slice(0, -1)),
  moreThanJson: res => json(res, 200, `${YES} {}`),
  notANumber: res => json(res, 200, `${YES.slice(0, -1)},"more":NaN}`),
  infinity: res => json(res, 200, `${YES.slice(0, -1)},"more":-Infinity}`),
  hexadecimal: res => json(res, 200, `${YES.slice(0, -1)},"more":0x1f}`),
  byteOrderMark: res => json(res, 200, `\ufeff${YES}`),
  list: res => json(res, 200, `[${YES}]`),
  text: res => json(res, 200, JSON.stringify(YES)),
  null: res => json(res, 200, 'null'),
  bareTrue: res => json(res, 200, 'true'),
  wrapped: res => json(res, 200, `{"data":${YES}}`),
  yesAsText: res => json(res, 200, yesWith('valid', 'true')),
  yesAsNumber: res => json(res, 200, yesWith('valid', 1)),
  yesAsObject: res => json(res, 200, yesWith('valid', {})),
  yesInCapitals: res => json(res, 200, YES.replaceAll('"valid"', '"Valid"')),
  yesAlone: res => json(res, 200, '{"valid":true}'),
  permissionsAlone: res => json(res, 200, '{"permissions":["READ"]}'),
  withoutId: res => json(res, 200, yesWith('id', undefined)),
  idNull: res => json(res, 200, yesWith('id', null)),
  idEmpty: res => json(res, 200, yesWith('id', '')),
  idNumber: res => json(res, 200, yesWith('id', 7)),
  idList: res => json(res, 200, yesWith('id', ['somebody'])),
  idOfTwoLines: res => json(res, 200, yesWith('id', 'somebody\r\nx-consumer-permissions: WRITE')),
  idOfTwoWords: res => json(res, 200, yesWith('id', 'some body')),
  idNotAscii: res => json(res, 200, yesWith('id', 'jos\u00e9')),
  idWithNul: res => json(res, 200, yesWith('id', 'some\0body')),
  idLong: res => json(res, 200, yesWith('id', 'x'.repeat(129))),
  withoutPermissions: res => json(res, 200, yesWith('permissions', undefined)),
  permissionsNull: res => json(res, 200, yesWith('permissions', null)),
  permissionsAsText: res => json(res, 200, yesWith('permissions', 'READ')),
  permissionsAsObject: res => json(res, 200, yesWith('permissions', { READ: true })),
  permissionsByNumber: res => json(res, 200, yesWith('permissions', { 1: 'READ' })),
  permissionsNotText: res => json(res, 200, yesWith('permissions', ['READ', true])),
  permissionsWithNull: res => json(res, 200, yesWith('permissions', [null, 'READ'])),
  permissionOfTwo: res => json(res, 200, yesWith('permissions', ['READ,WRITE'])),
  permissionOfTwoLines: res => json(res, 200, yesWith('permissions', ['READ\r\nx: y'])),
  permissionInCapitalsOnly: res => json(res, 200, yesWith('permissions', ['read'])),
  firstYesThenNull: res => json(res, 200, `${YES.slice(0, -1)},"valid":null}`),
  huge: res => json(res, 200, yesWith('more', 'x'.repeat(300_000))),
  longHeaders: res => raw(res, `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}content-length: 0\r\n\r\n`),
  created: res => json(res, 201, YES),
  yesAfterHints: res =>
    raw(res, `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: ${YES.length}\r\n\r\n${YES}`),
  noAfterHints: res => raw(res, 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n'),
  noContent: res => void res.writeHead(204).end(),
  partial: res => json(res, 206, YES),
  redirect: res => void res.writeHead(302, { location: '/verify?again' }).end(YES),
  redirectToYes: res => void res.writeHead(307, { location: '/yes' }).end(YES),
  forbidden403: res => json(res, 403, YES),
  notFound: res => json(res, 404, YES),
  tooMany: res => json(res, 429, YES),
  fails: res => json(res, 500, YES),
  unavailable: res => json(res, 503, YES),
  lengthTooShort: res => raw(res, `HTTP/1.1 200 OK\r\ncontent-length: ${YES.length - 1}\r\n\r\n${YES}`),
  lengthTooLong: res => raw(res, `HTTP/1.1 200 OK\r\ncontent-length: ${YES.length + 1}\r\n\r\n${YES}`),
  lengthOfNothing: res => raw(res, `HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n${YES}`),
  badChunk: res => raw(res, `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n${YES}\r\n0\r\n\r\n`),
  chunksWithoutEnd: res =>
    raw(res, `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${YES.length.toString(16)}\r\n${YES}\r\n`),
  gzip: res => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(YES)),
} as const satisfies Record<string, (res: ServerResponse, key: string) => void>

export type Answers = keyof typeof ANSWERS

const REJECTED: ReadonlyMap<Answers, string> = new Map([
  ['no', '401 API_KEY_INVALID'],
  ['noAndThenYes', '401 API_KEY_INVALID'],
  ['no401', '401 API_KEY_INVALID'],
  ['forbidden', '403 API_KEY_FORBIDDEN'],
  ['nothingPermitted', '403 API_KEY_FORBIDDEN'],
  ['emptyObjectPermitted', '403 API_KEY_FORBIDDEN'],
  ['permissionInCapitalsOnly', '403 API_KEY_FORBIDDEN'],
])

/** Returns what a client must be told when the verifier behaves like this. */
export function outcomeOf(answers: Answers): string {
  return answers === 'yes' ? '200' : (REJECTED.get(answers) ?? '503 SERVICE_UNAVAILABLE')
}

/** `hangs.1`: behaviour and name. */
const KEY_FORM = /^(\w+)\.[\w-]+$/

export interface Verifier extends Served {
  /** The keys that it has accepted. */
  readonly good: ReadonlySet<string>
  /** All keys that it was asked about. */
  readonly asked: readonly string[]
  /** Sets the behaviour for all keys; undefined for the behaviour that each key names. */
  behave(as: Answers | undefined): void
}

/** Starts a real server that behaves as each key names at its beginning: `hangs.1`, `yes.ann`. Other keys are invalid. */
export async function startVerifier(): Promise<Verifier> {
  const good = new Set<string>()
  const asked: string[] = []
  let always: Answers | undefined
  const served = await serve(async (req, res) => {
    const key = String(jsonOf(await text(req).catch(() => ''))?.key ?? '')
    asked.push(key)
    const [, wanted = ''] = KEY_FORM.exec(key) ?? []
    const answers = always ?? (wanted in ANSWERS ? (wanted as Answers) : 'no')
    if (answers === 'yes') good.add(key)
    ANSWERS[answers](res, key)
  })
  return {
    ...served,
    good,
    asked,
    behave: as => {
      always = as
    },
  }
}
