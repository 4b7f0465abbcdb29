/** A statement of a file, without the comments before it and its semicolon. */
export interface Statement {
  readonly text: string
  /** Where it begins in the file: the offset in UTF-16 units, and the line from 1. */
  readonly start: number
  readonly line: number
  /** Its first words in lower case, up to the first token that is not a word. */
  readonly words: readonly string[]
}

const SPACE = /(?:\s+|--[^\n\r]*)+/y
const WORD = /[\p{L}_\u0080-\uffff][\p{L}\p{N}_$\u0080-\uffff]*/uy
const DOLLAR = /\$(?:[\p{L}_\u0080-\uffff][\p{L}\p{N}_\u0080-\uffff]*)?\$/uy
const NUMBER = /[0-9][\w.$]*/y
const MOST_WORDS = 5
const ROUTINE = /^create (?:or replace )?(?:function|procedure)$/

/**
 * Splits SQL as PostgreSQL and psql do. Strings (also with escapes and dollar quotes), quoted names, nested comments,
 * parentheses (rules) and the bodies of `BEGIN ATOMIC … END` may contain semicolons and words that do not belong to the
 * statement itself.
 */
export function statementsOf(sql: string): Statement[] {
  const statements: Statement[] = []
  let at = 0
  while (at < sql.length) {
    at = skipSpace(sql, at)
    const { end, words } = readStatement(sql, at)
    const text = sql.slice(at, end).trimEnd()
    if (text !== '') statements.push({ text, start: at, line: lineAt(sql, at), words })
    at = end + 1
  }
  return statements
}

export function lineAt(sql: string, offset: number): number {
  return sql.slice(0, offset).split('\n').length
}

function readStatement(sql: string, start: number): { end: number; words: string[] } {
  const words: string[] = []
  let [onlyWords, parentheses, blocks, routine] = [true, 0, 0, '']
  let at = start
  while (at < sql.length) {
    const after = skipSpace(sql, at)
    if (after > at) {
      at = after
      continue
    }
    const word = wordAt(sql, at)
    if (word !== undefined && !opensString(sql, at + word.length, word)) {
      if (onlyWords && words.length < MOST_WORDS) words.push(word)
      if (routine.split(' ').length <= 4) routine = `${routine} ${word}`.trim()
      at += word.length
      if (parentheses === 0 && isRoutine(routine)) blocks = nest(word, blocks, wordAt(sql, skipSpace(sql, at)))
      continue
    }
    const char = sql[at]
    if (char === ';' && parentheses === 0 && blocks === 0) return { end: at, words }
    if (char === '(') parentheses++
    if (char === ')') parentheses = Math.max(0, parentheses - 1)
    onlyWords = false
    at = skipToken(sql, at)
  }
  return { end: sql.length, words }
}

/** In a body, `case` ends with `end` too. `begin` alone may be a name, of the routine or of its result. */
function nest(word: string, blocks: number, next: string | undefined): number {
  if ((word === 'begin' && next === 'atomic') || (word === 'case' && blocks > 0)) return blocks + 1
  return word === 'end' ? Math.max(0, blocks - 1) : blocks
}

const isRoutine = (words: string) => {
  const parts = words.split(' ')
  return ROUTINE.test(parts.slice(0, 2).join(' ')) || ROUTINE.test(parts.slice(0, 4).join(' '))
}

/** E'…' and similar: the letter belongs to the string. */
function opensString(sql: string, at: number, word: string): boolean {
  return sql[at] === "'" && word === 'e'
}

function skipSpace(sql: string, start: number): number {
  let at = start
  for (;;) {
    const space = match(SPACE, sql, at)
    if (space) at += space.length
    else if (sql.startsWith('/*', at)) at = skipComment(sql, at)
    else return at
  }
}

function skipComment(sql: string, start: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = start
  for (let depth = 0; ; ) {
    const found = edge.exec(sql)
    if (!found) return sql.length
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
}

function skipToken(sql: string, at: number): number {
  const char = sql[at] ?? ''
  if (char === 'e' || char === 'E') return skipQuoted(sql, at + 1, "'", true)
  if (char === "'" || char === '"') return skipQuoted(sql, at, char, false)
  const tag = match(DOLLAR, sql, at)
  if (tag !== undefined) {
    const end = sql.indexOf(tag, at + tag.length)
    return end < 0 ? sql.length : end + tag.length
  }
  return at + (match(NUMBER, sql, at)?.length ?? (match(/\$\d+/y, sql, at)?.length || 1))
}

function skipQuoted(sql: string, start: number, quote: string, escapes: boolean): number {
  for (let at = start + 1; at < sql.length; at++) {
    if (escapes && sql[at] === '\\') at++
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1
      at++
    }
  }
  return sql.length
}

const wordAt = (sql: string, at: number) => match(WORD, sql, at)?.toLowerCase()

function match(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(sql)?.[0]
}
