import { type Doc, decode } from '../bson/document.ts'
import { ProtocolError } from './frame.ts'

/** Opcode of OP_MSG. Source: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
export const opMsg = 2013

const flag = { checksumPresent: 1, moreToCome: 2 } as const
/** Bits 0-15 change the meaning of the message: an unknown one has to be refused. */
const requiredBits = 0xffff

export interface Message {
  readonly body: Doc
  /** The client expects no reply. */
  readonly moreToCome: boolean
}

const raws = new WeakMap<Doc, Uint8Array>()

/** The bytes a document of a message was decoded from. */
export const rawBytes = (doc: Doc): Uint8Array | undefined => raws.get(doc)

/** Parses the body of an OP_MSG. @throws ProtocolError; CommandError when a document is not BSON */
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
  return { body, moreToCome: (flags & flag.moreToCome) !== 0 }
}

/** The bytes of something that begins with its own int32 length. */
function sized(bytes: Buffer, offset: number): Buffer {
  const length = offset + 4 <= bytes.byteLength ? bytes.readInt32LE(offset) : -1
  if (length < 5 || offset + length > bytes.byteLength) throw new ProtocolError('a section of OP_MSG is truncated')
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
