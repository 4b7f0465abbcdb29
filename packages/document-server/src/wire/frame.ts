/** Largest message, in bytes, as in MongoDB. */
export const maxMessageBytes = 48_000_000
/** Bytes of the header: length, request id, response to, opcode; int32 little-endian each. */
const headerBytes = 16

export interface Frame {
  readonly requestId: number
  readonly opcode: number
  /** What follows the header. */
  readonly body: Buffer
}

/** The bytes cannot be a message of the protocol: nothing after them can be trusted, the connection has to end. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/** Cuts a stream of bytes into messages. Parts are joined once per message, however many pieces it comes in. */
export class FrameReader {
  #parts: Buffer[] = []
  #bytes = 0
  readonly #limit: () => number

  /** @param limit the longest message that is taken now, in bytes */
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
