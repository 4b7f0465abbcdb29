import { type Doc, decode } from '../bson/document.ts'
import { fail } from '../errors.ts'

/** The largest message, in bytes, as in MongoDB. */
export const maxMessageBytes = 48_000_000
/** The size of the header: length, request id, response to and opcode, each a little-endian int32. */
const headerBytes = 16

export interface Frame {
  readonly requestId: number
  readonly opcode: number
  /** What follows the header. */
  readonly body: Buffer
}

/** The bytes cannot be a message of the protocol. The connection has to end, as nothing after them can be trusted. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/** Splits a stream of bytes into messages. The parts of a message are joined only once, however many there are. */
export class FrameReader {
  #parts: Buffer[] = []
  #bytes = 0
  readonly #limit: () => number

  /** @param limit returns the size of the longest message that is accepted at the moment, in bytes */
  constructor(limit: () => number = () => maxMessageBytes) {
    this.#limit = limit
  }

  /** @throws ProtocolError for a length below the header's or above the limit */
  *push(chunk: Buffer): Generator<Frame> {
    this.#parts.push(chunk)
    this.#bytes += chunk.byteLength
    while (this.#bytes >= 4) {
      const length = this.#peekLength()
      if (length < headerBytes || length > this.#limit())
        throw new ProtocolError(`message length ${length} is out of range`)
      if (this.#bytes < length) return
      const all = this.#joined()
      const frame = all.subarray(0, length)
      this.#parts = length < all.byteLength ? [all.subarray(length)] : []
      this.#bytes = all.byteLength - length
      yield { requestId: frame.readInt32LE(4), opcode: frame.readInt32LE(12), body: frame.subarray(headerBytes) }
    }
  }

  #peekLength(): number {
    const [first] = this.#parts
    return first && first.byteLength >= 4 ? first.readInt32LE(0) : this.#joined().readInt32LE(0)
  }

  #joined(): Buffer {
    const [first] = this.#parts
    const all = first && this.#parts.length === 1 ? first : Buffer.concat(this.#parts, this.#bytes)
    this.#parts = [all]
    return all
  }
}

/** A whole message with its header. */
export function frame(opcode: number, requestId: number, responseTo: number, body: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(headerBytes)
  const length = body.reduce((sum, part) => sum + part.byteLength, headerBytes)
  header.writeInt32LE(length, 0)
  header.writeInt32LE(requestId, 4)
  header.writeInt32LE(responseTo, 8)
  header.writeInt32LE(opcode, 12)
  return Buffer.concat([header, ...body], length)
}

/** Opcode of OP_MSG. Source: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
export const opMsg = 2013

const flag = { checksumPresent: 1, moreToCome: 2 } as const
/** Bits 0-15 change the meaning of the message, so unknown ones have to be refused. */
const requiredBits = 0xffff

export interface Message {
  readonly body: Doc
  /** The database that the command is for. */
  readonly database: string
  /** The client expects no reply. */
  readonly moreToCome: boolean
}

const raws = new WeakMap<Doc, Buffer>()

/** The bytes that a document of a message was decoded from. */
export const rawBytes = (doc: Doc): Buffer | undefined => raws.get(doc)

/** Parses the body of an OP_MSG. @throws ProtocolError; CommandError if a document is not BSON */
export function parseMessage(bytes: Buffer): Message {
  if (bytes.byteLength < 4 + 1 + 5) throw new ProtocolError('OP_MSG is too short')
  const flags = bytes.readUInt32LE(0)
  if (flags & flag.checksumPresent) throw new ProtocolError('checksums are not supported')
  if (flags & requiredBits & ~flag.moreToCome) throw new ProtocolError(`unknown required OP_MSG flags ${flags}`)
  let body: Doc | undefined
  const sequences: [string, Doc[]][] = []
  let offset = 4
  while (offset < bytes.byteLength) {
    const kind = bytes.readUInt8(offset)
    const section = sized(bytes, offset + 1)
    offset += 1 + section.byteLength
    if (kind === 0 && body === undefined) body = decode(section)
    else if (kind === 1) sequences.push(parseSequence(section))
    else throw new ProtocolError(`unexpected OP_MSG section of kind ${kind}`)
  }
  if (!body) throw new ProtocolError('OP_MSG has no body section')
  for (const [name, documents] of sequences) {
    if (Object.hasOwn(body, name)) throw new ProtocolError(`the field '${name}' is given twice`)
    body[name] = documents
  }
  const database = typeof body.$db === 'string' ? body.$db : ''
  return { body, database, moreToCome: (flags & flag.moreToCome) !== 0 }
}

/** The bytes of an element that begins with its own int32 length. */
function sized(bytes: Buffer, offset: number): Buffer {
  const length = offset + 4 <= bytes.byteLength ? bytes.readInt32LE(offset) : -1
  if (length < 5 || offset + length > bytes.byteLength) throw new ProtocolError('a section of the message is truncated')
  return bytes.subarray(offset, offset + length)
}

function parseSequence(section: Buffer): [string, Doc[]] {
  const end = section.indexOf(0, 4)
  if (end < 0) throw new ProtocolError('a document sequence has no name')
  const documents: Doc[] = []
  for (let offset = end + 1; offset < section.byteLength; ) {
    const raw = sized(section, offset)
    const doc = decode(raw)
    raws.set(doc, raw)
    documents.push(doc)
    offset += raw.byteLength
  }
  const name = section.toString('utf8', 4, end)
  if (name === '__proto__') throw new ProtocolError('a document sequence has a refused name')
  return [name, documents]
}

/** The parts of an OP_MSG with one body document. */
export const messageParts = (document: Uint8Array): Uint8Array[] => [Buffer.alloc(5), document]

/** The opcodes of the legacy protocol, in which drivers may send their first `hello`. */
export const opQuery = 2004
export const opReply = 1

/**
 * Parses an OP_QUERY on `<database>.$cmd`. It serves for the handshake only, as in MongoDB since 5.1.
 * @throws ProtocolError for any other query; CommandError for another command
 */
export function parseQuery(bytes: Buffer): Message {
  const end = bytes.indexOf(0, 4)
  if (bytes.byteLength < 4 + 1 + 8 + 5 || end < 0) throw new ProtocolError('OP_QUERY is too short')
  const namespace = bytes.toString('utf8', 4, end)
  if (!namespace.endsWith('.$cmd')) throw new ProtocolError('OP_QUERY is supported for commands only')
  const body = decode(sized(bytes, end + 1 + 8))
  const [name = ''] = Object.keys(body)
  if (!/^(hello|ismaster)$/i.test(name))
    fail(`Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade.`, 'CommandNotFound')
  return { body, database: namespace.slice(0, -'.$cmd'.length), moreToCome: false }
}

/** The parts of an OP_REPLY with one document. */
export function replyParts(document: Uint8Array): Uint8Array[] {
  const head = Buffer.alloc(20)
  head.writeInt32LE(8, 0) // AwaitCapable, as MongoDB sets it
  head.writeInt32LE(1, 16)
  return [head, document]
}
