import { CallerGoneError, ComeBackError, type OpenStream } from '../../call/index.ts'
import { type BoundProcedure, isStream } from '../../contract/index.ts'

/** What is sent piece by piece: the items of a stream as JSON text, or the chunks of a file. Its call's deadline ends it. */
export interface Source {
  /** Resolves to undefined after the last piece. Rejects with the failure to send, or with the deadline's reason. */
  next(): Promise<string | Uint8Array | undefined>
  /** The service stops: what might not end by itself ends. */
  retire(): void
  /** No more pieces are taken. */
  close(): void
  /** Of a file. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Compiles how the result of a procedure is sent piece by piece; undefined if it is one JSON value. */
export function compileSource({ output }: BoundProcedure): ((result: unknown) => Source) | undefined {
  return isStream(output) ? result => streamSource(result as OpenStream) : undefined
}

function streamSource(stream: OpenStream): Source {
  return {
    next: async () => (await stream.next())?.text,
    retire: () => stream.cancel(new ComeBackError()),
    close: () => stream.cancel(new CallerGoneError()),
  }
}
