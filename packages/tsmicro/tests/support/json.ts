/** The fields of our answers that tests read. */
export interface Answer {
  readonly code: string
  readonly status: number
  readonly message: string
  readonly error?: string
  readonly requestId?: string
  readonly details?: readonly { readonly path: string; readonly message: string }[]
  readonly data?: unknown
}
