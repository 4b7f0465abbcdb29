import { defineErrors } from 'tsmicro/contract'

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
