/** What parent and child tell each other: one question, one answer, told apart by a number. */
export interface Question {
  readonly id: number
  readonly name: string
  readonly input: unknown
}

export type Reply = { readonly id: number; readonly output: unknown } | { readonly id: number; readonly error: string }
