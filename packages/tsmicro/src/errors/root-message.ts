import { ApiError } from './api-error.ts'

/**
 * What an operator should read of a failure, in one line: each error's message and what its cause adds to it. Of the errors that
 * callers see, the cause alone: "the service cannot answer now" tells an operator nothing.
 */
export function rootMessage(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(rootMessage).join(', ')
  if (!(error instanceof Error)) return String(error)
  const own = error.message || error.name
  if (!(error.cause instanceof Error)) return own
  const cause = rootMessage(error.cause)
  if (error instanceof ApiError || error.message === '' || cause.includes(own)) return cause
  return own.includes(cause) ? own : `${own}: ${cause}`
}
