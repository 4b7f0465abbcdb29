import { contract, defineErrors, file, procedure, upload } from 'tsmicro/contract'
import Type from 'typebox'

/** @public */
export const { NO_ALBUM } = defineErrors({ NO_ALBUM: { status: 404, message: 'There is no such album' } })
/** @public */
export declare function salesByDay(userId: string): AsyncIterable<{ readonly day: string; readonly amount: number }>
/** @public */
export declare function store(id: string, title: string, content: ReadableStream<Uint8Array>): Promise<void>
/** @public */
export declare const authorization: string
/** @public */
export declare const id: string
/** @public */
export declare const picker: { readonly files: ArrayLike<File> & Iterable<File> & { readonly [index: number]: File } }
/** @public */
export const reports = contract('report', {
  exportSales: procedure({ http: 'GET /sales.csv', access: 'user', output: file('text/csv') }),
})
/** @public */
export const photos = contract('photo', {
  setPhoto: procedure({
    http: 'PUT /albums/:id/photo',
    access: 'user',
    input: file('image/*', { fields: Type.Object({ id: Type.String() }) }),
  }),
  addPhotos: procedure({
    http: 'POST /albums/:id/photos',
    access: 'user',
    input: upload({
      fields: Type.Object({ id: Type.String(), title: Type.String() }),
      files: { photos: { types: ['image/*'], maxCount: 10 } },
    }),
  }),
})
