import { createWriteStream, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { Dicer } from '@fastify/busboy'
import { parse as parseDisposition } from 'content-disposition'
import { acceptsType, essenceOf, type FileRule, limitsOf, mostFileBytes, type UploadBody } from '../contract/index.ts'
import { type ApiError, MALFORMED_REQUEST, PAYLOAD_TOO_LARGE, VALIDATION_FAILED } from '../errors/index.ts'
import { type Receipt, receive } from './receive.ts'
import { TemporaryFile } from './temporary-files.ts'

/** Parts that may be sent beside the files. */
const MAX_FIELDS = 256
const MAX_HEADERS = 16
const MAX_HEADER_BYTES = 4096
const MAX_NAME = 255

type PartHeader = Readonly<Record<string, readonly string[]>>
type PartStream = NodeJS.ReadableStream

/** Takes the content of one part. */
interface PartSink {
  write(chunk: Buffer, part: PartStream): void
  end(): void
}

interface FilePart {
  readonly field: string
  readonly rule: FileRule
  readonly name: string
  readonly type: string
  readonly path: string
  readonly output: WriteStream
  bytes: number
}

interface Form {
  /** Texts by name, a list where a name was sent several times. */
  readonly fields: Readonly<Record<string, string | readonly string[]>>
  readonly files: Readonly<Record<string, File | readonly File[]>>
}

/**
 * Receives a form (RFC 7578) into a folder. The first part that breaks a rule ends it.
 * @param maxTextBytes of all fields together
 * @throws {VALIDATION_FAILED} {PAYLOAD_TOO_LARGE} {MALFORMED_REQUEST}, and what {@link receive} throws
 */
export async function receiveForm(
  form: UploadBody,
  folder: string,
  boundary: string,
  maxTextBytes: number,
  receipt: Omit<Receipt, 'maxBytes'>,
): Promise<Form> {
  const reader = new FormReader(form.files, folder, boundary, maxTextBytes)
  const maxBytes = maxTextBytes + (mostFileBytes(form) ?? 0)
  try {
    await receive({ ...receipt, maxBytes }, reader.parser, reader.done)
    return await reader.form()
  } finally {
    await reader.close()
  }
}

class FormReader {
  readonly parser: Dicer
  /** Resolves when all parts have been written. */
  readonly done: Promise<void>
  readonly #rules: UploadBody['files']
  readonly #folder: string
  readonly #maxTextBytes: number
  readonly #maxParts: number
  readonly #texts = new Map<string, string[]>()
  readonly #files: FilePart[] = []
  readonly #fail: (error: unknown) => void
  readonly #settle: () => void
  #failed = false
  #isWhole = false
  #parts = 0
  /** Parts whose end has not been read. The parser may be done before. */
  #open = 0
  #textBytes = 0

  constructor(rules: UploadBody['files'], folder: string, boundary: string, maxTextBytes: number) {
    this.#rules = rules
    this.#folder = folder
    this.#maxTextBytes = maxTextBytes
    this.#maxParts = Object.values(rules).reduce((sum, rule) => sum + limitsOf(rule).maxCount, MAX_FIELDS)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.done = promise
    promise.catch(() => {})
    this.#fail = error => {
      this.#failed = true
      reject(error)
    }
    this.parser = new Dicer({ boundary })
    this.parser.on('part', part => this.#take(part))
    this.parser.on('error', (cause: unknown) => this.#fail(new MALFORMED_REQUEST(undefined, { cause })))
    this.parser.on('finish', () => {
      this.#isWhole = true
      this.#settle()
    })
    this.#settle = () => {
      if (!this.#isWhole || this.#open > 0 || this.#failed) return
      const written = this.#files.map(({ output }) => finished(output))
      Promise.all(written).then(() => resolve(), this.#fail)
    }
  }

  #take(part: PartStream): void {
    let sink: PartSink | undefined
    this.#parts += 1
    this.#open += 1
    if (this.#parts > this.#maxParts) this.#fail(refusal('', 'has too many parts'))
    part.on('header', (header: PartHeader) => {
      if (this.#failed) return
      try {
        sink = this.#begin(header)
      } catch (error) {
        this.#fail(error)
      }
    })
    // Without a listener from the start, a part without a header would never end.
    part.on('data', (chunk: Buffer) => {
      if (!this.#failed) sink?.write(chunk, part)
    })
    part.on('end', () => {
      if (this.#failed) return
      if (!sink) return this.#fail(new MALFORMED_REQUEST())
      sink.end()
      this.#open -= 1
      this.#settle()
    })
    part.on('error', cause => this.#fail(new MALFORMED_REQUEST(undefined, { cause })))
  }

  #begin(header: PartHeader): PartSink {
    const { 'content-disposition': dispositions = [], 'content-type': types = [] } = header
    const [coding = 'binary'] = header['content-transfer-encoding'] ?? []
    const values = Object.values(header).flat()
    if (values.length > MAX_HEADERS || values.join('').length > MAX_HEADER_BYTES) throw new MALFORMED_REQUEST()
    if (dispositions.length !== 1 || types.length > 1) throw new MALFORMED_REQUEST()
    if (!/^(7bit|8bit|binary)$/i.test(coding)) throw new MALFORMED_REQUEST()
    const { type, parameters } = parseDisposition(textOf(Buffer.from(dispositions[0] ?? '', 'latin1')), {
      multipart: true,
    })
    const { name, filename } = parameters
    if (type !== 'form-data' || name === undefined) throw new MALFORMED_REQUEST()
    const rule = Object.hasOwn(this.#rules, name) ? this.#rules[name] : undefined
    if (rule) return this.#beginFile(name, rule, filename ?? '', essenceOf(types[0] ?? 'text/plain'))
    if (filename !== undefined) throw refusal('', `unknown file ${JSON.stringify(name.slice(0, 100))}`)
    return this.#beginText(name)
  }

  #beginFile(field: string, rule: FileRule, name: string, type: string): PartSink {
    if (/[\p{Cc}/\\]|^\.\.?$/u.test(name) || name.length > MAX_NAME)
      throw refusal(field, `the file's name must be at most ${MAX_NAME} characters, without a path`)
    const check = () => {
      if (!acceptsType(rule.types, type))
        throw refusal(field, `must be ${rule.types?.join(' or ')}, but is ${type.slice(0, 100)}`)
    }
    // Browsers send a file without name, type and content where nothing was chosen.
    if (name !== '') check()
    const { maxBytes, maxCount } = limitsOf(rule)
    if (this.#files.filter(file => file.field === field).length >= maxCount)
      throw refusal(field, `must be at most ${maxCount}`)
    const path = join(this.#folder, String(this.#files.length))
    const output = createWriteStream(path, { flags: 'wx', mode: 0o600 })
    const file: FilePart = { field, rule, name, type, path, output, bytes: 0 }
    output.on('error', this.#fail)
    this.#files.push(file)
    return {
      write: (chunk, part) => {
        try {
          if (file.bytes === 0) check()
        } catch (error) {
          return this.#fail(error)
        }
        file.bytes += chunk.length
        if (file.bytes > maxBytes)
          return this.#fail(new PAYLOAD_TOO_LARGE(undefined, { message: `${field} is larger than ${maxBytes} bytes` }))
        if (output.write(chunk)) return
        part.pause()
        output.once('drain', () => part.resume())
      },
      end: () => void output.end(),
    }
  }

  #beginText(name: string): PartSink {
    const chunks: Buffer[] = []
    return {
      write: chunk => {
        this.#textBytes += chunk.length
        if (this.#textBytes > this.#maxTextBytes) this.#fail(new PAYLOAD_TOO_LARGE())
        else chunks.push(chunk)
      },
      end: () => {
        try {
          // Senders of a form turn every line break into CRLF.
          const text = textOf(Buffer.concat(chunks)).replaceAll('\r\n', '\n')
          this.#texts.set(name, [...(this.#texts.get(name) ?? []), text])
        } catch (error) {
          this.#fail(error)
        }
      },
    }
  }

  /** What has been received. @throws {VALIDATION_FAILED} naming the files that are missing */
  async form(): Promise<Form> {
    const sent = this.#files.filter(({ bytes, name }) => bytes > 0 || name !== '')
    const missing = Object.entries(this.#rules)
      .filter(([field, rule]) => !rule.optional && !sent.some(file => file.field === field))
      .map(([path]) => ({ path, message: 'is missing' }))
    if (missing.length > 0) throw new VALIDATION_FAILED(missing)
    const files: Record<string, File | File[]> = {}
    for (const { field, rule, name, type, path } of sent) {
      const file = await TemporaryFile.open(path, name, type)
      files[field] = rule.maxCount === undefined ? file : [...[files[field] ?? []].flat(), file]
    }
    const fields = [...this.#texts].map(
      ([name, texts]) => [name, texts.length === 1 ? (texts[0] ?? '') : texts] as const,
    )
    return { fields: Object.fromEntries(fields), files }
  }

  /** Resolves when nothing is written any longer. */
  async close(): Promise<void> {
    this.#failed = true
    const closing = this.#files.map(
      ({ output }) =>
        new Promise(resolve => (output.closed ? resolve(0) : output.once('close', () => resolve(0)).destroy())),
    )
    await Promise.all(closing)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new MALFORMED_REQUEST(undefined, { cause })
  }
}

function refusal(path: string, message: string): ApiError {
  return new VALIDATION_FAILED([{ path, message }])
}
