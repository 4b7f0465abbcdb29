import { type Doc, decode } from '../bson/document.ts'
import { ProtocolError } from './frame.ts'

/** Opcodes of the legacy protocol: drivers may send their first `hello` in it. */
export const opQuery = 2004
export const opReply = 1

/** Parses an OP_QUERY on `<database>.$cmd`. @throws ProtocolError for anything else */
export function parseQuery(bytes: Buffer): { database: string; body: Doc } {
  const end = bytes.indexOf(0, 4)
  if (bytes.byteLength < 4 + 1 + 8 + 5 || end < 0) throw new ProtocolError('OP_QUERY is too short')
  const namespace = bytes.toString('utf8', 4, end)
  if (!namespace.endsWith('.$cmd')) throw new ProtocolError('OP_QUERY is supported for commands only')
  const start = end + 1 + 8
  const length = start + 4 <= bytes.byteLength ? bytes.readInt32LE(start) : -1
  if (length < 5 || start + length > bytes.byteLength) throw new ProtocolError('the query of OP_QUERY is truncated')
  return { database: namespace.slice(0, -'.$cmd'.length), body: decode(bytes.subarray(start, start + length)) }
}

/** The parts of an OP_REPLY with one document. */
export function replyParts(document: Uint8Array): Uint8Array[] {
  const head = Buffer.alloc(20)
  head.writeInt32LE(8, 0) // AwaitCapable, as MongoDB sets it
  head.writeInt32LE(1, 16)
  return [head, document]
}
