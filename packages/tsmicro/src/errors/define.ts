import { ApiError, type ApiErrorOptions } from './api-error.ts'

/** One row of an error table. `Schema` is the kind of schema that the contract layer uses. */
export interface ErrorSpec<Schema = unknown> {
  /** HTTP status, 400–599. */
  readonly status: number
  /** The message for the caller. */
  readonly message: string
  /** Schema of the payload; absent = the error carries none. */
  readonly data?: Schema
}

/** Constructor arguments: an error without a data schema takes only options. */
type ErrorArguments<Data> = [Data] extends [undefined]
  ? [data?: undefined, options?: ApiErrorOptions]
  : [data: Data, options?: ApiErrorOptions]

/**
 * What `new BLOG_NOT_FOUND()` makes. The intersection adds nothing, but TypeScript ignores type arguments when it narrows by `instanceof`:
 * with plain ApiError, "not a BLOG_NOT_FOUND" would mean "not an ApiError".
 */
type ErrorInstance<Code extends string, Data> = ApiError<Code, Data> & { readonly code: Code }

/**
 * An error class: `new BLOG_NOT_FOUND()`, `error instanceof BLOG_NOT_FOUND`.
 *
 * @example
 * const refusals: readonly Pick<ErrorClass, 'code' | 'status'>[] = [FORBIDDEN, BLOG_NOT_FOUND]
 */
export interface ErrorClass<Code extends string = string, Data = unknown> {
  new (...args: ErrorArguments<Data>): ErrorInstance<Code, Data>
  readonly code: Code
  readonly status: number
  readonly message: string
  readonly dataSchema: unknown
}

/** Any error class, whatever its payload. */
export interface AnyErrorClass {
  // biome-ignore lint/suspicious/noExplicitAny: parameters are contravariant; `unknown` would refuse every class with a payload
  new (...args: any[]): ApiError
  readonly code: string
  readonly status: number
  readonly message: string
  readonly dataSchema: unknown
}

/** Makes an error class from a row of a table. */
export function createErrorClass<Code extends string, Data>(code: Code, spec: ErrorSpec): ErrorClass<Code, Data> {
  const made = class extends ApiError<Code, Data> {
    static readonly code = code
    static readonly status = spec.status
    static readonly message = spec.message
    static readonly dataSchema = spec.data
    readonly code = code
    readonly status = spec.status
    constructor(...args: ErrorArguments<Data>) {
      super(spec.message, args[0] as Data, args[1])
    }
  }
  Object.defineProperty(made, 'name', { value: code })
  return made as unknown as ErrorClass<Code, Data>
}
