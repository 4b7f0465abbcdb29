import { findNotJson, type Infer, type InferInput, type Schema } from '../schema/index.ts'

/** Marks what {@link file}, {@link upload} and {@link stream} return: inputs and outputs that are not one JSON value. */
export const BODY = Symbol('tsmicro.body')

interface FileOptions<Fields extends Schema | undefined> {
  /** The most bytes that a sender may send. Default 10 MiB. Not for outputs. */
  readonly maxBytes?: number
  /** Schema of the fields beside a file that is sent raw: they come from the path and the query. Not for outputs. */
  readonly fields?: Fields
}

/** One file as the whole body of a request or of an answer. */
export interface FileBody<Fields extends Schema | undefined = Schema | undefined> {
  readonly [BODY]: 'file'
  /** Media types in lower case, such as `text/csv`; for inputs also ranges, such as `image/*`. */
  readonly types: readonly string[]
  readonly maxBytes: number
  readonly fields: Fields
}

/** What a form may send under one name. */
interface FileRule {
  /** Media types or ranges that are accepted. Default: any. */
  readonly types?: readonly string[]
  /** The most bytes of one file. Default 10 MiB. */
  readonly maxBytes?: number
  /** The most files under this name. Default 1; if it is given, the handler gets a list. */
  readonly maxCount?: number
  /** True = may be left out. Default false; a list may always be empty if it is optional. */
  readonly optional?: boolean
}

/** A form with fields and files, sent as `multipart/form-data`. */
export interface UploadBody<
  Fields extends Schema | undefined = Schema | undefined,
  Files extends Readonly<Record<string, FileRule>> = Readonly<Record<string, FileRule>>,
> {
  readonly [BODY]: 'upload'
  readonly fields: Fields
  readonly files: Files
}

interface StreamOptions<Item extends Schema> {
  /**
   * The field that identifies an item. A client that lost its connection comes back with the last one it saw, which the handler gets as
   * `lastEventId`.
   */
  readonly id?: keyof Infer<Item> & string
  /** Milliseconds without an item after which the stream ends. Default: unlimited. */
  readonly idleMs?: number
  /** Milliseconds after which the stream ends. Default one hour. */
  readonly totalMs?: number
}

/** Items that a handler yields one by one. */
export interface StreamBody<Item extends Schema = Schema> {
  readonly [BODY]: 'stream'
  readonly item: Item
  readonly id: string | undefined
  readonly idleMs: number | undefined
  readonly totalMs: number
}

const MAX_FILE_BYTES = 10 * 1024 * 1024
const HOUR_MS = 60 * 60 * 1000
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/(\*|[a-z0-9!#$&^_.+-]+)$/

/**
 * A file as an input or output instead of a JSON value.
 *
 * @example
 * const exportCsv = procedure({ http: 'GET /blogs.csv', access: 'user', output: file('text/csv') })
 * @throws {TypeError} when a type is not a media type in lower case, or maxBytes is not a positive integer
 */
export function file<const Fields extends Schema | undefined = undefined>(
  type: string | readonly string[],
  { maxBytes = MAX_FILE_BYTES, fields }: FileOptions<Fields> = {},
): FileBody<Fields> {
  const types = typeof type === 'string' ? [type] : type
  if (types.length === 0) throw new TypeError('file: name at least one media type, such as text/csv')
  checkFileRule('file', { types, maxBytes })
  return Object.freeze({ [BODY]: 'file' as const, types, maxBytes, fields: fields as Fields })
}

/**
 * A form with files as an input. Number, size and type of the files are checked before the handler runs.
 *
 * @example
 * const setCover = procedure({
 *   http: 'PUT /blogs/:id/cover', access: 'user',
 *   input: upload({ fields: Type.Object({ id: Type.String() }), files: { cover: { types: ['image/*'], maxBytes: 5_000_000 } } }),
 * })
 * @throws {TypeError} when there are no files, a rule is invalid, or a field and a file share a name
 */
export function upload<
  const Files extends Readonly<Record<string, FileRule>>,
  const Fields extends Schema | undefined = undefined,
>({ fields, files }: { readonly fields?: Fields; readonly files: Files }): UploadBody<Fields, Files> {
  const rules = Object.entries(files ?? {})
  if (rules.length === 0) throw new TypeError('upload: name at least one file in `files`')
  for (const [name, rule] of rules) checkFileRule(`upload: file ${name}`, rule)
  return Object.freeze({ [BODY]: 'upload' as const, fields: fields as Fields, files })
}

/**
 * A stream of items as an output: the handler returns an async iterable, such as an async generator.
 *
 * @example
 * const follow = procedure({ http: 'GET /published', access: 'key', output: stream(PublicBlog, { id: 'id' }) })
 * @throws {TypeError} when an item is declared as something that JSON cannot carry, or a time is not above 0
 */
export function stream<const Item extends Schema>(
  item: Item,
  { id, idleMs, totalMs = HOUR_MS }: StreamOptions<Item> = {},
): StreamBody<Item> {
  const why = findNotJson(item)
  if (why) throw new TypeError(`stream: ${why}`)
  for (const [name, ms] of Object.entries({ idleMs, totalMs }))
    if (ms !== undefined && !(ms > 0)) throw new TypeError(`stream: ${name} must be above 0`)
  return Object.freeze({ [BODY]: 'stream' as const, item, id, idleMs, totalMs })
}

function checkFileRule(label: string, { types = [], maxBytes = 1, maxCount = 1 }: FileRule): void {
  const wrong = types.find(type => !MEDIA_TYPE.test(type))
  if (wrong !== undefined)
    throw new TypeError(
      `${label}: ${JSON.stringify(wrong)} is not a media type in lower case, such as text/csv or image/*`,
    )
  for (const [name, value] of Object.entries({ maxBytes, maxCount }))
    if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`${label}: ${name} must be a positive integer`)
}

/** What kind of body a declared input or output is; undefined for a schema, or for none. */
export function kindOfBody(declared: object | undefined): 'file' | 'upload' | 'stream' | undefined {
  return declared && BODY in declared ? (declared[BODY] as 'file' | 'upload' | 'stream') : undefined
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
  const bytes = Object.values((input as UploadBody).files).map(
    ({ maxBytes = MAX_FILE_BYTES, maxCount = 1 }) => maxBytes * maxCount,
  )
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
}: {
  readonly http?: string
  readonly nats?: string
  readonly input?: object
  readonly output?: object
  readonly bare?: boolean
  readonly message?: string
}): string | undefined {
  const [into, out] = [kindOfBody(input), kindOfBody(output)]
  if (into === 'stream') return 'input: a stream is an output; send items one by one'
  if (out === 'upload') return 'output: an upload is an input; answer a file'
  if (into && /^(GET|DELETE) /.test(http ?? '')) return 'input: GET and DELETE have no body, use POST or PUT'
  if (into && nats !== undefined) return 'input: files are sent over HTTP alone, leave out nats'
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

/** What a handler gets for an input that is a file or a form: the fields beside the files. */
export type ReceivedBody<S> =
  S extends FileBody<infer Fields>
    ? FieldsOf<Fields, 'out'> & { readonly file: File }
    : S extends UploadBody<infer Fields, infer Files>
      ? FieldsOf<Fields, 'out'> & FilesOf<Files, File>
      : never

/** What a caller passes for an input that is a file or a form. */
export type SentBody<S> =
  S extends FileBody<infer Fields>
    ? FieldsOf<Fields, 'in'> & { readonly file: Blob }
    : S extends UploadBody<infer Fields, infer Files>
      ? FieldsOf<Fields, 'in'> & FilesOf<Files, Blob>
      : never

/** The bytes of a file that a handler answers. Ranges are served for what has a known size: a path, bytes or a Blob. */
type FileContent =
  | { readonly path: string }
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>

/** A file that a handler answers: its content, and what its headers say. */
export type FileAnswer =
  | FileContent
  | {
      readonly content: FileContent
      /** Name under which a browser saves it. Default: none, and the browser shows it. */
      readonly name?: string
      /** One of the declared types. Default: the first. */
      readonly type?: string
      /** When it last changed. Default: for a path, the file's own time. */
      readonly modified?: Date
    }
