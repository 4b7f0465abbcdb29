import { createHash, randomUUID } from 'node:crypto'
import { COVER_INVALID } from '@blog-platform/blog-contract'

/** A cover that is being read. */
export interface OpenCover {
  readonly key: string
  readonly content: AsyncIterable<Uint8Array>
}

interface Format {
  readonly type: string
  readonly extension: string
  /** What the first bytes are, in hexadecimal: parts of four bytes, of which an empty one may be anything. */
  readonly begins: readonly string[]
}

const LONGEST_BEGINNING = 12

const FORMATS: readonly Format[] = [
  { type: 'image/png', extension: 'png', begins: ['89504e47', '0d0a1a0a'] },
  { type: 'image/jpeg', extension: 'jpg', begins: ['ffd8ff'] },
  { type: 'image/webp', extension: 'webp', begins: ['52494646', '', '57454250'] },
]

/** What keys begin with that are made at a time, in milliseconds; it grows with the time. */
export const beginningAt = (time: number) => time.toString(36).padStart(9, '0')

/** A new key for a picture. It ends with the format. @throws {COVER_INVALID} if the bytes are of another type */
export async function keyFor(picture: Blob): Promise<string> {
  const beginning = Buffer.from(await picture.slice(0, LONGEST_BEGINNING).arrayBuffer()).toString('hex')
  const format = FORMATS.find(({ begins }) => begins.every((part, n) => beginning.startsWith(part, n * 8)))
  if (format?.type !== picture.type) throw new COVER_INVALID()
  return `${beginningAt(Date.now())}-${randomUUID()}.${format.extension}`
}

export async function sha256Of(picture: Blob): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of picture.stream()) hash.update(chunk)
  return hash.digest('hex')
}

/** The media type of what is stored under a key. @throws {TypeError} if there is no such format */
export function typeOf(key: string): string {
  const format = FORMATS.find(({ extension }) => key.endsWith(`.${extension}`))
  if (!format) throw new TypeError(`the cover ${key} has no known format`)
  return format.type
}
