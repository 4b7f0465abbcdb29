import { createHash } from 'node:crypto'
import { COVER_INVALID } from '@blog-platform/blog-contract'
import { ObjectId } from 'mongodb'

/** A cover that is being read. */
export interface OpenCover {
  readonly key: string
  readonly content: AsyncIterable<Uint8Array>
}

interface Format {
  readonly type: string
  readonly extension: string
  /** What the first bytes are, read as Latin-1. */
  readonly begins: RegExp
}

const LONGEST_BEGINNING = 12

const FORMATS: readonly Format[] = [
  { type: 'image/png', extension: 'png', begins: /^\u0089PNG\r\n\u001a\n/ },
  { type: 'image/jpeg', extension: 'jpg', begins: /^\xff\xd8\xff/ },
  { type: 'image/webp', extension: 'webp', begins: /^RIFF.{4}WEBP/s },
]

/** A new key for a picture. It begins with the time, and ends with the format. @throws {COVER_INVALID} if the bytes are of another type */
export async function keyFor(picture: Blob): Promise<string> {
  const beginning = Buffer.from(await picture.slice(0, LONGEST_BEGINNING).arrayBuffer()).toString('latin1')
  const format = FORMATS.find(({ begins }) => begins.test(beginning))
  if (format?.type !== picture.type) throw new COVER_INVALID()
  return `${new ObjectId().toHexString()}.${format.extension}`
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
