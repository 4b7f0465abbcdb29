/** The innermost message, for one line: "the service cannot answer now" does not tell an operator anything. */
export function rootMessage(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(rootMessage).join(', ')
  const cause = (error as Error | undefined)?.cause
  if (cause instanceof Error) return rootMessage(cause)
  return error instanceof Error ? error.message || error.name : String(error)
}
