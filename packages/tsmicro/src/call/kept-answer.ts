import { type BoundProcedure, hasBody, jsonOfOutput } from '../contract/index.ts'
import { type AnyErrorClass, ApiError } from '../errors/index.ts'
import { compiled, writeJson } from '../schema/index.ts'
import { WITHOUT_ANSWER } from '../stores/index.ts'
import { Reply } from './reply.ts'

/** A larger answer is not kept, only that there was one. */
const MOST_BYTES = 1024 * 1024

/** Answers of a procedure as text. */
export interface Kept {
  /** Undefined for what the handler must not answer. */
  write(result: unknown): Promise<string | undefined>
  /** Undefined for a failure that is not kept, so that the caller may try again. */
  writeFailure(error: unknown): string | undefined
  /** Returns what the handler returned. @throws the error that it threw */
  read(text: string): unknown
}

interface Stored {
  readonly value?: unknown
  readonly reply?: Pick<Reply, 'status' | 'headers' | 'cookies'>
  readonly error?: string
  readonly message?: string
  readonly retryAfterSeconds?: number
}

/** Compiles how the answers of a procedure are kept: checked and pruned like those that are sent, and its declared 4xx errors. */
export function compileKept({ output: declared, errors = {} }: BoundProcedure): Kept {
  const output = jsonOfOutput(declared)
  const check = output && compiled.outgoing(output)
  return {
    async write(result) {
      const { value, ...beside } = result instanceof Reply ? result : { value: result }
      const stored: Stored = result instanceof Reply ? { reply: beside as Reply } : {}
      if (!check || !hasBody(stored.reply?.status ?? 200)) return write(stored)
      const checked = await check(value)
      return checked.problems ? undefined : write({ ...stored, value: checked.value })
    },
    writeFailure(error) {
      if (!(error instanceof ApiError) || error.status >= 500 || !declares(errors, error)) return undefined
      const { code, message, data, retryAfterSeconds } = error
      return write({
        error: code,
        message,
        value: data,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      })
    },
    read(text) {
      const { value, reply, error, message, retryAfterSeconds } = JSON.parse(text) as Stored
      const type = error === undefined ? undefined : errors[error]
      if (error === undefined) return reply ? new Reply({ value, ...reply }) : value
      // The service was replaced by one that no longer declares it.
      if (!type) throw new TypeError(`${error} was kept, and is no longer declared`)
      throw new type(value, { ...(message ? { message } : {}), ...(retryAfterSeconds ? { retryAfterSeconds } : {}) })
    },
  }
}

function write(stored: Stored): string {
  const text = writeJson(stored) ?? ''
  return Buffer.byteLength(text) > MOST_BYTES ? WITHOUT_ANSWER : text
}

function declares(errors: Readonly<Record<string, AnyErrorClass>>, error: ApiError): boolean {
  return Object.values(errors).some(type => error instanceof type)
}
