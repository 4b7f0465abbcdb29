import { AsyncLocalStorage } from 'node:async_hooks'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type BoundProcedure, type FileAnswer, fileOfOutput } from '../contract/index.ts'
import { type CallContext, withContext } from './context.ts'
import type { Deadline } from './deadline.ts'
import { Reply } from './reply.ts'

/** Larger pieces are divided, so that a slow reader costs no memory and its progress can be seen. */
const CHUNK_BYTES = 64 * 1024

/** A file that a handler answered, open for reading once. */
export interface OpenFile {
  /** Its media type, one of the declared ones. */
  readonly type: string
  readonly name: string | undefined
  /** Bytes; undefined if only reading tells. */
  readonly size: number | undefined
  readonly modified: Date | undefined
  /** Differs whenever the content does; only for a path. */
  readonly version: string | undefined
  /** Pieces of at most 64 KiB. Leaving the loop closes the source. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** The same for some of the bytes of what has a size. @param last included, as in HTTP */
  part(first: number, last: number): AsyncIterable<Uint8Array>
  /** Closes what is not read to its end. Safe to call twice. */
  close(): void
}

type Described = Extract<FileAnswer, { readonly content: unknown }>
type FileContent = Described['content']

interface Source extends Partial<Pick<OpenFile, 'size' | 'modified' | 'version'>> {
  read(first: number, last: number): AsyncIterable<Uint8Array | string>
  close(): void
}

/**
 * Compiles the opening of what the handler of a procedure returns; undefined if its output is not a file. It still belongs to the handler's
 * time and context, and so does every later piece to its context.
 */
export function compileFile(procedure: BoundProcedure) {
  const declared = fileOfOutput(procedure.output)
  if (!declared) return undefined
  return async (
    answer: unknown,
    context: CallContext,
  ): Promise<{ readonly value: OpenFile; readonly problems?: undefined }> => {
    const opening = withContext(context, () => openFile(answer as FileAnswer, declared.types, context.deadline))
    try {
      return { value: await context.deadline.race(opening) }
    } catch (error) {
      opening.then(late => late.close()).catch(() => {})
      throw error
    }
  }
}

/**
 * Opens what a handler returned. The first piece of an iterable is read, so that a failure before it is still an error of the call.
 * @param types the declared media types
 * @param deadline closes what is still being opened when it ends
 * @throws {TypeError} when it is not a file, or its type is not declared; what opening or reading it throws
 */
async function openFile(answer: FileAnswer, types: readonly string[], deadline: Deadline): Promise<OpenFile> {
  const described = isDescribed(answer) ? answer : { content: answer }
  const { content, name, modified } = described
  const type = described.type ?? types.find(each => content instanceof Blob && content.type === each) ?? types[0] ?? ''
  if (!types.includes(type))
    throw new TypeError(`the answered file is ${type}, but the contract declares ${types.join(', ')}`)
  const source = await sourceOf(content, deadline)
  const { size } = source
  const last = size === undefined ? Number.POSITIVE_INFINITY : size - 1
  return {
    type,
    name,
    size,
    modified: modified ?? source.modified,
    version: source.version,
    chunks: { [Symbol.asyncIterator]: () => pieces(source, 0, last) },
    part: (first, end) => pieces(source, first, end),
    close: () => source.close(),
  }
}

/** Closes what a handler returned and nobody will read. Safe for anything, open or closed. */
export function discardAnswer(answer: unknown): void {
  const value = answer instanceof Reply ? answer.value : answer
  const content: unknown = isDescribed(value as FileAnswer) ? (value as Described).content : value
  // Without a listener, its later error would end the process.
  if (content instanceof Readable) content.on('error', () => {}).destroy()
  else if (typeof content === 'object' && content !== null && Symbol.asyncIterator in content) {
    const { [Symbol.asyncIterator]: iterate } = content as AsyncIterable<unknown>
    const close = async () => void (await iterate.call(content).return?.())
    close().catch(() => {})
  }
}

function isDescribed(answer: FileAnswer): answer is Described {
  return typeof answer === 'object' && answer !== null && 'content' in answer
}

function sourceOf(content: FileContent, deadline: Deadline): Source | Promise<Source> {
  if (content instanceof Uint8Array) return bytesOf(content)
  if (content instanceof Blob) return blobOf(content)
  if (typeof content === 'object' && content !== null) {
    if ('path' in content && typeof content.path === 'string' && !(content instanceof Readable))
      return pathOf(content.path)
    if (Symbol.asyncIterator in content) return iterableOf(content, deadline)
  }
  throw new TypeError('the handler of a file must return { path }, bytes, a Blob, a stream or an async iterable')
}

function bytesOf(bytes: Uint8Array): Source {
  return {
    size: bytes.byteLength,
    async *read(first, last) {
      yield bytes.subarray(first, last + 1)
    },
    close() {},
  }
}

function blobOf(blob: Blob): Source {
  return { size: blob.size, read: (first, last) => blob.slice(first, last + 1).stream(), close() {} }
}

async function pathOf(path: string): Promise<Source> {
  // Without O_NONBLOCK, opening a named pipe would wait for its writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const close = () => void handle.close().catch(() => {})
  try {
    const stat = await handle.stat({ bigint: true })
    if (!stat.isFile()) throw new TypeError(`${path} is not a file`)
    return {
      size: Number(stat.size),
      modified: new Date(Number(stat.mtimeMs)),
      version: `${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}`,
      async *read(first, last) {
        for (let at = first; at <= last; ) {
          const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, last + 1 - at))
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
          if (bytesRead === 0) return
          at += bytesRead
          yield buffer.subarray(0, bytesRead)
        }
      },
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

async function iterableOf(content: AsyncIterable<Uint8Array | string>, deadline: Deadline): Promise<Source> {
  const inContext = AsyncLocalStorage.snapshot()
  const iterator = content instanceof ReadableStream ? readerOf(content) : content[Symbol.asyncIterator]()
  const next = () => inContext(() => iterator.next())
  const close = () => {
    // The iterator of a Node stream that has not been read leaves it open.
    if (content instanceof Readable) content.destroy()
    void inContext(async () => iterator.return?.()).catch(() => {})
  }
  const forget = deadline.onEnd(close)
  const begun = await next().finally(forget)
  return {
    async *read() {
      for (let { done, value } = begun; !done; { done, value } = await next()) yield value
    },
    close,
  }
}

/** A web stream's own iterator cannot be closed while it waits for a piece. */
export function readerOf(content: ReadableStream): AsyncIterator<Uint8Array | string> {
  const reader = content.getReader()
  return {
    next: () => reader.read() as Promise<IteratorResult<Uint8Array | string>>,
    async return() {
      await reader.cancel()
      return { done: true, value: undefined }
    },
  }
}

/** @throws {TypeError} for a piece that is neither bytes nor text; {Error} when the source ends before its size */
async function* pieces(source: Source, first: number, last: number): AsyncGenerator<Uint8Array, void> {
  let missing = last + 1 - first
  try {
    for await (const piece of source.read(first, last)) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
      if (!(bytes instanceof Uint8Array)) throw new TypeError('the pieces of a file must be bytes or texts')
      missing -= bytes.byteLength
      for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES)
    }
    if (Number.isFinite(missing) && missing !== 0) throw new Error('the file has changed while it was sent')
  } finally {
    source.close()
  }
}
