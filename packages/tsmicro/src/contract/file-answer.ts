/** The bytes of a file that a handler answers. Ranges are served for what has a known size: a path, bytes or a Blob. */
type FileContent =
  | { readonly path: string }
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>

/** A file that a handler answers: its content, and what its headers say. */
export type FileAnswer =
  | FileContent
  | {
      readonly content: FileContent
      /** Name under which a browser saves it. Default: none, and the browser shows it. */
      readonly name?: string
      /** One of the declared types. Default: the first. */
      readonly type?: string
      /** When it last changed. Default: for a path, the file's own time. */
      readonly modified?: Date
    }
