import {
  describeSchema,
  fieldNames,
  findNotJson,
  type Infer,
  type InferInput,
  rootOf,
  type Schema,
} from '../schema/index.ts'
import { FOLLOW, streamCaller } from './follow.ts'
import { type FileRule, type FileSender, formSender, limitsOf, rawSender, SEND } from './sent-files.ts'

/**
 * Marks what {@link file}, {@link upload} and {@link stream} return: inputs and outputs that are not one JSON value. Their inferred types
 * name nothing of ours: the compiler writes them into the declarations of a contract's package, which could not import it.
 */
export const BODY = '~body'

interface FileOptions<Fields extends Schema | undefined> {
  /** The most bytes that a sender may send. Default 10 MiB. Not for outputs. */
  readonly maxBytes?: number
  /** Schema of the fields beside a file that is sent raw: they come from the path and the query. Not for outputs. */
  readonly fields?: Fields
}

/** One file as the whole body of a request or of an answer. */
export interface FileBody<Fields extends Schema | undefined = Schema | undefined> {
  readonly '~body': 'file'
  /** Media types in lower case, such as `text/csv`; for inputs also ranges, such as `image/*`. */
  readonly types: readonly string[]
  readonly maxBytes: number
  readonly fields: Fields
}

/** A form with fields and files, sent as `multipart/form-data`. */
export interface UploadBody<
  Fields extends Schema | undefined = Schema | undefined,
  Files extends Readonly<Record<string, FileRule>> = Readonly<Record<string, FileRule>>,
> {
  readonly '~body': 'upload'
  readonly fields: Fields
  readonly files: Files
}

type FieldOf<Item> = keyof Infer<Item> & string

interface StreamOptions<Item extends Schema, Id extends FieldOf<Item> | undefined> {
  /**
   * The field that identifies an item: a text or a number. A client that lost its connection comes back with the last one it saw, which
   * the handler gets as `lastEventId`. Default: none, and a client cannot come back.
   */
  readonly id?: Id
  /** Milliseconds of waiting for the handler's next item after which the client has to come back. Default: unlimited. */
  readonly idleMs?: number
  /** Milliseconds after which the client has to come back. Default one hour. */
  readonly totalMs?: number
}

/** Items that a handler yields one by one. */
export interface StreamBody<Item extends Schema = Schema, Id extends string | undefined = string | undefined> {
  readonly '~body': 'stream'
  readonly item: Item
  /** The field that identifies an item. */
  readonly id: Id
  readonly idleMs: number | undefined
  readonly totalMs: number
}

/** A field that its type does not name. */
const hidden = (key: symbol, value: unknown): object => ({ [key]: value })
const HOUR_MS = 60 * 60 * 1000
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/(\*|[a-z0-9!#$&^_.+-]+)$/

/**
 * A file instead of a JSON value. As an output, the handler returns its content: `{ path }`, bytes, a `Blob`, a stream or an async iterable,
 * or these with a name: `{ content, name }`. As an input, it is the whole body of a request, and a `File` for the handler.
 *
 * @example
 * const exportCsv = procedure({ http: 'GET /blogs.csv', access: 'user', output: file('text/csv') })
 * const setCover = procedure({
 *   http: 'PUT /blogs/:id/cover', access: 'user',
 *   input: file('image/*', { maxBytes: 5_000_000, fields: Type.Object({ id: Type.String() }) }),
 * })
 * @throws {TypeError} when a type is not a media type in lower case, maxBytes is not a positive integer, or a field is called `file`
 */
export function file<const Fields extends Schema | undefined = undefined>(
  type: string | readonly string[],
  { maxBytes, fields }: FileOptions<Fields> = {},
) {
  const types = typeof type === 'string' ? [type] : type
  if (types.length === 0) throw new TypeError('file: name at least one media type, such as text/csv')
  const rule = maxBytes === undefined ? { types } : { types, maxBytes }
  checkRules('file', { file: rule }, fields)
  return Object.freeze({
    [BODY]: 'file' as const,
    types,
    maxBytes: limitsOf(rule).maxBytes,
    fields: fields as NoInfer<Fields>,
    ...hidden(SEND, rawSender(rule)),
  })
}

/**
 * A form with files as an input, sent as `multipart/form-data`. Number, size and type of the files are checked before the handler runs.
 *
 * @example
 * const addPhotos = procedure({
 *   http: 'POST /blogs/:id/photos', access: 'user',
 *   input: upload({
 *     fields: Type.Object({ id: Type.String(), title: Type.String() }),
 *     files: { photos: { types: ['image/*'], maxBytes: 5_000_000, maxCount: 10 } },
 *   }),
 * })
 * @throws {TypeError} when there are no files, a rule is invalid, or a field and a file share a name
 */
export function upload<
  const Files extends Readonly<Record<string, FileRule>>,
  const Fields extends Schema | undefined = undefined,
>({ fields, files }: { readonly fields?: Fields; readonly files: Files }) {
  if (Object.keys(files ?? {}).length === 0) throw new TypeError('upload: name at least one file in `files`')
  checkRules('upload', files, fields)
  return Object.freeze({
    [BODY]: 'upload' as const,
    fields: fields as NoInfer<Fields>,
    files,
    ...hidden(SEND, formSender(files)),
  })
}

/**
 * A stream of items as an output: the handler returns an iterable, such as an async generator, and the caller iterates over the items.
 *
 * @example
 * const clock = contract('clock', {
 *   ticks: procedure({ http: 'GET /ticks', access: 'open', output: stream(Type.Object({ tick: Type.Integer() }), { id: 'tick' }) }),
 * })
 * const ticking = implement(clock, {
 *   async *ticks({ lastEventId = '0' }) {
 *     for (let tick = Number(lastEventId) + 1; tick <= 3; tick++) yield { tick }
 *   },
 * })
 * await using app = await testService(() => ({ handlers: [ticking] }))
 * for await (const { tick } of app.http(clock).ticks()) log.info({ tick }, 'tick')
 * @throws {TypeError} when an item is declared as something that JSON cannot carry, or a time is not above 0
 */
export function stream<const Item extends Schema, const Id extends FieldOf<Item> | undefined = undefined>(
  item: Item,
  { id, idleMs, totalMs = HOUR_MS }: StreamOptions<Item, Id> = {},
) {
  const why = findNotJson(item)
  if (why) throw new TypeError(`stream: ${why}`)
  for (const [name, ms] of Object.entries({ idleMs, totalMs }))
    if (ms !== undefined && !(ms > 0)) throw new TypeError(`stream: ${name} must be above 0`)
  return Object.freeze({
    [BODY]: 'stream' as const,
    item,
    id: id as Id,
    idleMs,
    totalMs,
    ...hidden(FOLLOW, streamCaller),
  })
}

function checkRules(label: string, rules: Readonly<Record<string, FileRule>>, fields: Schema | undefined): void {
  for (const [name, rule] of Object.entries(rules)) {
    const wrong = rule.types?.find(type => !MEDIA_TYPE.test(type))
    if (wrong !== undefined)
      throw new TypeError(
        `${label}: ${JSON.stringify(wrong)} is not a media type in lower case, such as text/csv or image/*`,
      )
    for (const [limit, value] of Object.entries(limitsOf(rule)))
      if (!Number.isSafeInteger(value) || value < 1)
        throw new TypeError(`${label}: ${limit} of ${name} must be a positive integer`)
  }
  const described = fields && describeSchema(fields)
  const shared = described && fieldNames(described, rootOf(described)).find(name => Object.hasOwn(rules, name))
  if (shared !== undefined) throw new TypeError(`${label}: ${shared} is both a field and a file, rename the field`)
}

/** What reads a stream, with a contract that has one; undefined for any other output. */
export function followOf(output: object | undefined): typeof streamCaller | undefined {
  return output && FOLLOW in output ? (output[FOLLOW] as typeof streamCaller) : undefined
}

/** Whether an output is a stream. */
export function isStream(output: object | undefined): output is StreamBody {
  return kindOfBody(output) === 'stream'
}

/** What kind of body a declared input or output is; undefined for a schema, or for none. */
export function kindOfBody(declared: object | undefined): 'file' | 'upload' | 'stream' | undefined {
  return declared && BODY in declared ? (declared[BODY] as 'file' | 'upload' | 'stream') : undefined
}

/** An output that is a file; undefined if it is not. */
export function fileOfOutput(output: Schema | FileBody | StreamBody | undefined): FileBody | undefined {
  return kindOfBody(output) === 'file' ? (output as FileBody) : undefined
}

/** An input that brings files; undefined if it is JSON. */
export function uploadOfInput(input: Schema | FileBody | UploadBody | undefined): FileBody | UploadBody | undefined {
  return kindOfBody(input) ? (input as FileBody | UploadBody) : undefined
}

/** How clients send an input with files; undefined if it has none. */
export function senderOf(input: Schema | FileBody | UploadBody | undefined): FileSender | undefined {
  return input && SEND in input ? (input[SEND] as FileSender) : undefined
}

/** The schema of an input's fields: of the whole input, unless that is a file or a form. */
export function fieldsOfInput(input: Schema | FileBody | UploadBody | undefined): Schema | undefined {
  return input && BODY in input ? (input as FileBody | UploadBody).fields : input
}

/** The schema of an output that is one JSON value; undefined for a file, a stream, or none. */
export function jsonOfOutput(output: Schema | FileBody | StreamBody | undefined): Schema | undefined {
  return output && BODY in output ? undefined : output
}

/** The most bytes of the files that an input may hold; undefined for one without files. */
export function mostFileBytes(input: Schema | FileBody | UploadBody | undefined): number | undefined {
  if (kindOfBody(input) === 'file') return (input as FileBody).maxBytes
  if (kindOfBody(input) !== 'upload') return undefined
  const bytes = Object.values((input as UploadBody).files)
    .map(limitsOf)
    .map(({ maxBytes, maxCount }) => maxBytes * maxCount)
  return bytes.reduce((sum, each) => sum + each, 0)
}

/** Says what is wrong with the bodies of a procedure; undefined if nothing is. */
export function whyNotBody({
  http,
  nats,
  input,
  output,
  bare,
  message,
  bodyLimitBytes,
}: {
  readonly http?: string
  readonly nats?: string
  readonly input?: object
  readonly output?: object
  readonly bare?: boolean
  readonly message?: string
  readonly bodyLimitBytes?: number
}): string | undefined {
  const [into, out] = [kindOfBody(input), kindOfBody(output)]
  if (into === 'stream') return 'input: a stream is an output; send items one by one'
  if (out === 'upload') return 'output: an upload is an input; answer a file'
  if (into && /^(GET|DELETE) /.test(http ?? '')) return 'input: GET and DELETE have no body, use POST or PUT'
  if (into && nats !== undefined) return 'input: files are sent over HTTP alone, leave out nats'
  if (into && bodyLimitBytes !== undefined)
    return 'bodyLimitBytes: an input with files has its own limits, leave it out'
  const range = out === 'file' && (output as FileBody).types.find(type => type.endsWith('/*'))
  if (range) return `output: ${range} is for inputs, name each media type that the handler may answer`
  if (out && (bare !== undefined || message !== undefined))
    return `output: a ${out} has no envelope, leave out bare and message`
  return undefined
}

type FieldsOf<Fields, Side extends 'in' | 'out'> = Fields extends Schema
  ? Side extends 'in'
    ? InferInput<Fields>
    : Infer<Fields>
  : unknown

type FilesOf<Files, One> = {
  readonly [K in keyof Files as Files[K] extends { readonly optional: true } ? never : K]: Sent<Files[K], One>
} & { readonly [K in keyof Files as Files[K] extends { readonly optional: true } ? K : never]?: Sent<Files[K], One> }

type Sent<Rule, One> = Rule extends { readonly maxCount: number } ? readonly One[] : One

/** A file that a handler receives. It lives on disk until the handler has ended. */
export interface ReceivedFile extends File {
  /** Moves it to a path of your own, replacing what is there at once. It cannot be read through this object afterwards. */
  moveTo(path: string): Promise<void>
}

/** What a handler gets for an input that is a file or a form: the fields beside the files. */
export type ReceivedBody<S> =
  S extends FileBody<infer Fields>
    ? FieldsOf<Fields, 'out'> & { readonly file: ReceivedFile }
    : S extends UploadBody<infer Fields, infer Files>
      ? FieldsOf<Fields, 'out'> & FilesOf<Files, ReceivedFile>
      : never

/** What a caller passes for an input that is a file or a form. */
export type SentBody<S> =
  S extends FileBody<infer Fields>
    ? FieldsOf<Fields, 'in'> & { readonly file: Blob }
    : S extends UploadBody<infer Fields, infer Files>
      ? FieldsOf<Fields, 'in'> & FilesOf<Files, Blob>
      : never
