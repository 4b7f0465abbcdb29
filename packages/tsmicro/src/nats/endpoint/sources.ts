import {
  type CallContext,
  CallerGoneError,
  ComeBackError,
  type FailureMapper,
  headersOfFile,
  type OpenFile,
  type OpenStream,
} from '../../call/index.ts'
import { type BoundProcedure, fileOfOutput, isStream } from '../../contract/index.ts'
import { DEADLINE_EXCEEDED } from '../../errors/index.ts'

/** What is sent piece by piece: the items of a stream as JSON text, or the chunks of a file. Its call's deadline ends it. */
export interface Source {
  /** Resolves to undefined after the last piece. Rejects with the failure to send, or with the deadline's reason. */
  next(): Promise<string | Uint8Array | undefined>
  /** The service stops: what might not end by itself ends. */
  retire(): void
  /** Ends the source: its pieces are no longer wanted. */
  close(): void
  /** Of a file. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Compiles how the result of a procedure is sent piece by piece; undefined if it is one JSON value. */
export function compileSource(
  { output }: BoundProcedure,
  timeoutMs: number,
  toFailure: FailureMapper,
): ((result: unknown, context: CallContext) => Source) | undefined {
  if (isStream(output)) return result => streamSource(result as OpenStream)
  if (fileOfOutput(output)) return (result, context) => fileSource(result as OpenFile, context, timeoutMs, toFailure)
  return undefined
}

function streamSource(stream: OpenStream): Source {
  return {
    next: async () => (await stream.next())?.text,
    retire: () => stream.cancel(new ComeBackError()),
    close: () => stream.cancel(new CallerGoneError()),
  }
}

/** @param timeoutMs in which the handler must make each chunk; the time that its caller takes does not count */
function fileSource(
  file: OpenFile,
  { deadline, log }: CallContext,
  timeoutMs: number,
  toFailure: FailureMapper,
): Source {
  const chunks = file.chunks[Symbol.asyncIterator]()
  deadline.pause()
  return {
    async next() {
      deadline.restart(timeoutMs, () => new DEADLINE_EXCEEDED())
      try {
        const { done, value } = await deadline.race(chunks.next())
        deadline.pause()
        return done ? undefined : value
      } catch (error) {
        throw await toFailure(error, 'handler', log)
      }
    },
    // It ends by itself, and a part of it is of no use.
    retire() {},
    close: () => file.close(),
    headers: headersOfFile(file),
  }
}
