import { file, upload } from 'tsmicro/contract'
import Type from 'typebox'
import { BlogId } from './blog.ts'

const PNG = 'image/png'
const JPEG = 'image/jpeg'
const WEBP = 'image/webp'

/** A blog's cover as a form sends it. The bytes must be of the type that the form names. */
export const CoverUpload = upload({
  fields: Type.Object({ id: BlogId }),
  files: { cover: { types: [PNG, JPEG, WEBP], maxBytes: 5_000_000 } },
})

/** A blog's cover as it is read. */
export const CoverFile = file([PNG, JPEG, WEBP])

export const coverHeaders = {
  etag: 'Version of the cover: the field `cover` of the blog',
  'cache-control': 'Whoever keeps it has to ask whether it is still the same',
}
