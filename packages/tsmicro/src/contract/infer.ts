import type { Infer, InferInput } from '../schema/index.ts'
import type { FileBody, ReceivedBody, SentBody, StreamBody } from './body.ts'
import type { FileAnswer } from './file-answer.ts'
import type { EventSpec, ProcedureSpec } from './spec.ts'

// biome-ignore lint/suspicious/noConfusingVoidType: a handler without an output need not return anything
type Nothing = void

/**
 * What a handler returns: the output before its transforms, which run at the caller.
 *
 * @example
 * const shown: AnswerOf<typeof reading.findBySlug> = { id, slug, title: 'Hello', text: 'World', author: userId }
 */
export type AnswerOf<P extends ProcedureSpec> = P extends { readonly output: infer S }
  ? S extends StreamBody<infer Item>
    ? Items<DeepReadonly<JsonAnswer<Item>>>
    : S extends FileBody
      ? FileAnswer
      : JsonAnswer<S>
  : Nothing

/** Items one by one: what an async generator returns, a web or Node stream, or a list. */
type Items<Item> = AsyncIterable<Item> | Iterable<Item>

type JsonAnswer<S> = S extends { readonly '~standard': unknown } ? InferInput<S> : Infer<S>

/** The statuses that a procedure's success may have. */
export type StatusOf<P> = P extends { readonly status: infer S } ? (S extends readonly (infer Each)[] ? Each : S) : 200

/**
 * What a caller receives: for a file the `Response` whose body is the file, for a stream its items; undefined for a status without a body.
 *
 * @example
 * const blog: ResponseOf<typeof reading.findBySlug> = await repository.findById(id)
 */
export type ResponseOf<P extends ProcedureSpec> = P extends { readonly output: infer S }
  ? S extends StreamBody<infer Item>
    ? AsyncIterable<Infer<Item>>
    : S extends FileBody
      ? Response
      : Infer<S> | (Extract<StatusOf<P>, 204 | 303> extends never ? never : undefined)
  : Nothing

/**
 * What a caller passes.
 *
 * @example
 * const asked: RequestOf<typeof reading.findBySlug> = { slug: 'hello' }
 */
export type RequestOf<P extends ProcedureSpec> = P extends { readonly input: infer S }
  ? S extends Marked
    ? SentBody<S>
    : InferInput<S>
  : undefined

interface Marked {
  readonly '~body': string
}

/** Error classes of a procedure by code. */
export type ErrorsOf<P extends ProcedureSpec> = P extends { readonly errors: infer E } ? E : Record<never, never>

/**
 * The validated input as a handler sees it, decoded.
 *
 * @example
 * const titled = ({ slug }: InputOf<typeof reading.findBySlug>) => slug.replaceAll('-', ' ')
 */
export type InputOf<P extends ProcedureSpec> = P extends { readonly input: infer S }
  ? S extends Marked
    ? ReceivedBody<S>
    : Infer<S>
  : undefined

/** The data that an event is published with, before its transforms, which run at the consumer. */
export type EventInputOf<E extends EventSpec> = InferInput<E['data']>

/**
 * The data that an event's handler receives.
 *
 * @example
 * const told: EventDataOf<typeof userCreated> = { userId, email, name, role: 'LEARNER' }
 */
export type EventDataOf<E extends EventSpec> = Infer<E['data']>

/** Data that is only read from here on, so lists and objects may be read-only. */
export type DeepReadonly<T> = T extends Blob | Uint8Array | ReadableStream | AsyncIterable<unknown>
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T
