/*
 * What a schema says, in no library's words. From one shape come the schema of each library, the oracle's JSON Schema (`oracle.ts`)
 * and the value that is to come out (`decoded.ts`); none of them by the code that is tested.
 */

export type Shape =
  | { readonly kind: 'text'; readonly min?: number; readonly max?: number; readonly letters?: boolean }
  | { readonly kind: 'whole' | 'number'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'flag' | 'none' | 'anything' }
  | { readonly kind: 'constants'; readonly values: readonly (string | number | boolean | null)[] }
  | { readonly kind: 'list'; readonly of: Shape; readonly min?: number; readonly max?: number }
  | { readonly kind: 'tuple'; readonly of: readonly Shape[]; readonly rest?: Shape }
  | Fields
  | { readonly kind: 'record'; readonly of: Shape }
  | { readonly kind: 'either'; readonly of: readonly Shape[] }
  | { readonly kind: 'all'; readonly of: readonly Fields[] }
  /** A tree of objects, which contains itself. */
  | { readonly kind: 'tree' }
  /** A text of digits that becomes a number where it is taken in. */
  | { readonly kind: 'price' }
  /** A text with a time that becomes a Date where it is taken in. */
  | { readonly kind: 'time' }

export interface Fields {
  readonly kind: 'fields'
  readonly fields: readonly Field[]
}

export interface Field {
  readonly name: string
  readonly of: Shape
  readonly optional: boolean
  /** What an absent one is taken for. */
  readonly initial?: string | number | boolean
}

/** Texts that spell a price, and texts that a {@link Shape} `text` of letters takes. */
export const PRICE = '^\\d{1,6}$'
export const LETTERS = '^[a-c]*$'
