import { randomUUID } from 'node:crypto'

/** 32 hexadecimal digits, the form of Kong's X-Kong-Request-Id. randomUUID draws from a pool: about 0.1 µs a call. */
export function newRequestId(): string {
  return randomUUID().replaceAll('-', '')
}
