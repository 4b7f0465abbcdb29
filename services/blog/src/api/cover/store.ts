/** Where the bytes of covers are. A key is written once, so nobody ever reads a part of one or a mixture of two. */
export interface CoverStore {
  /** Resolves when the picture is stored for good. @param sha256 of the picture, in hexadecimal */
  put(key: string, picture: Blob, sha256: string): Promise<void>
  /** Undefined if there is none. It must be read or cancelled. */
  get(key: string): Promise<AsyncIterable<Uint8Array> | undefined>
  /** Does nothing if there is none; also removes what a `put` that broke off has left. */
  remove(key: string): Promise<void>
}
