import type { Long } from 'bson'

/**
 * `{ cursor: { firstBatch | nextBatch: [...], id, ns }, ok: 1 }` built from the stored bytes: the documents are not
 * encoded again, so they leave exactly as they came.
 */
export function cursorReply(
  field: 'firstBatch' | 'nextBatch',
  batch: readonly Uint8Array[],
  id: Long,
  namespace: string,
): Uint8Array {
  const elements = batch.map((bytes, index) => element(3, String(index), bytes))
  const ns = Buffer.from(`${namespace}\0`)
  const cursor = document([
    element(4, field, document(elements)),
    element(0x12, 'id', Buffer.from(id.toBytesLE())),
    element(2, 'ns', Buffer.concat([int32(ns.byteLength), ns])),
  ])
  const ok = Buffer.alloc(8)
  ok.writeDoubleLE(1)
  return document([element(3, 'cursor', cursor), element(1, 'ok', ok)])
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

const element = (type: number, name: string, value: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), value])

function document(elements: readonly Uint8Array[]): Buffer {
  const size = elements.reduce((sum, bytes) => sum + bytes.byteLength, 5)
  return Buffer.concat([int32(size), ...elements, Buffer.of(0)], size)
}
