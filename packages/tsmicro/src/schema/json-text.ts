import type { ValidationDetail } from '../errors/index.ts'
import { BEYOND, markRounded, roundedIn } from './numbers.ts'
import { distinct, type Problems, problemsIn, unknownFields } from './problems.ts'

/** True if a text can be stored and compared anywhere: no NUL (PostgreSQL refuses it) and no lone surrogate (it has no UTF-8 form). */
export function isText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/** Names that code which copies objects may take for a prototype. No schema can name them. */
export function isPrototype(name: string, holder = ''): boolean {
  return name === '__proto__' || (name === 'prototype' && /(^|\/)constructor$/.test(holder))
}

/** Whether a value may contain something that {@link uncleanIn} reports: in its JSON text, it is an escape or one of the names. */
export function mayBeUnclean(json: string): boolean {
  return json.includes('\\u') || json.includes('proto')
}

/** Names the fields of a JSON value that hold, or are named by, something that {@link isText} refuses, and prototypes. */
export function uncleanIn(value: unknown): Problems {
  return problemsIn(value, (each, holder) => {
    if (typeof each !== 'string') return undefined
    if (!isText(each)) return 'contains characters that are not text'
    return holder !== undefined && isPrototype(each, holder) ? unknownFields([each]) : undefined
  })
}

/**
 * Finds what no schema sees in a value that was parsed: texts that are not text, prototypes, and numbers that parsing has rounded. Undefined
 * for nearly all JSON texts, since all three leave a trace there.
 */
export function unseenIn(json: string, mayHaveNumbers: boolean): Unseen | undefined {
  const suspect = mayBeUnclean(json)
  const marked = mayHaveNumbers ? markRounded(json) : undefined
  if (!suspect && marked === undefined) return undefined
  return (value, partOf = whole => whole) => {
    const problems = [...(suspect ? uncleanIn(value) : []), ...roundedIn(partOf(marked))]
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
  return distinct([...unseen, ...problems.filter(each => !isTold(each))])
}
