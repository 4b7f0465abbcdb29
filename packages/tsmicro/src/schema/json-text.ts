import type { ValidationDetail } from '../errors/index.ts'
import { BEYOND, markRounded, roundedIn } from './numbers.ts'
import { MAX_DETAILS, type Problems, problemsIn } from './problems.ts'

/** True if a text can be stored and compared anywhere: no NUL (PostgreSQL refuses it) and no lone surrogate (it has no UTF-8 form). */
export function isText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/** Names the fields of a JSON value that hold, or are named by, something that {@link isText} refuses. */
export function uncleanIn(value: unknown): Problems {
  const message = 'contains characters that are not text'
  return problemsIn(value, message, each => typeof each === 'string' && !isText(each))
}

/**
 * Finds what no schema sees in a value that was parsed: texts that are not text, and numbers that parsing has rounded. Undefined for nearly
 * all JSON texts, since both leave a trace there.
 */
export function unseenIn(json: string, mayHaveNumbers: boolean): Unseen | undefined {
  const hasEscapes = json.includes('\\u')
  const marked = mayHaveNumbers ? markRounded(json) : undefined
  if (!hasEscapes && marked === undefined) return undefined
  return (value, partOf = whole => whole) => {
    const problems = [...(hasEscapes ? uncleanIn(value) : []), ...roundedIn(partOf(marked))]
    return problems.length > 0 ? problems : undefined
  }
}

/** @param partOf finds the value again in all that the text contains */
type Unseen = (value: unknown, partOf?: (whole: unknown) => unknown) => Problems | undefined

/** All problems of a value, those that no schema sees first. */
export function withUnseen(unseen: Problems = [], problems: Problems = []): Problems {
  // 1e400 has become Infinity, which a schema does not take for a number.
  const isTold = ({ path, message }: ValidationDetail) =>
    /number|integer/.test(message) && unseen.some(each => each.path === path && each.message === BEYOND)
  return [...unseen, ...problems.filter(each => !isTold(each))].slice(0, MAX_DETAILS)
}
