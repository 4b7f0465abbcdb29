import { type Doc, isDoc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import type { TextIndex } from './text-index.ts'
import { type Folding, fold, terms, words } from './tokens.ts'

/** A `$text` search made ready: which terms may lead to documents, and how good a document is. */
export interface TextSearch {
  /** Terms of which a document needs at least one. */
  readonly terms: readonly string[]
  /** The score of a document, or `undefined` when it is not found. */
  score(doc: Doc): number | undefined
}

const known = ['$search', '$language', '$caseSensitive', '$diacriticSensitive']

/** @throws CommandError for a malformed `$text` */
export function compileTextSearch(argument: unknown, index: TextIndex): TextSearch {
  if (!isDoc(argument) || typeof argument.$search !== 'string')
    throw new CommandError('TypeMismatch', '$text needs { $search: <string> }')
  const unknown = Object.keys(argument).find(key => !known.includes(key))
  if (unknown !== undefined) throw new CommandError('BadValue', `unknown $text option: ${unknown}`)
  const folding: Folding = {
    caseSensitive: argument.$caseSensitive === true,
    diacriticSensitive: argument.$diacriticSensitive === true,
  }
  const stop = argument.$language === undefined ? index.stop : argument.$language !== 'none'
  const query = parse(argument.$search, stop)
  return { terms: query.wanted, score: doc => score(doc, query, index, folding) }
}

interface Query {
  readonly wanted: string[]
  /** Wanted words as written, for case- and accent-sensitive searches. */
  readonly wantedWords: string[]
  readonly unwanted: string[]
  readonly phrases: string[]
  readonly unwantedPhrases: string[]
}

/** `word "a phrase" -word -"a phrase"`. A minus counts only at the beginning of a word: `a-b` is two words. */
function parse(search: string, stop: boolean): Query {
  const query: Query = { wanted: [], wantedWords: [], unwanted: [], phrases: [], unwantedPhrases: [] }
  for (const [, minus, phrase, word] of search.matchAll(/(-?)(?:"([^"]*)"|([^\s"]+))/g)) {
    const text = phrase ?? word ?? ''
    if (minus) {
      if (phrase === undefined) query.unwanted.push(...terms(text, stop))
      else query.unwantedPhrases.push(text)
      continue
    }
    if (phrase !== undefined && phrase !== '') query.phrases.push(phrase)
    query.wanted.push(...terms(text, stop))
    query.wantedWords.push(...words(text))
  }
  return query
}

function score(doc: Doc, query: Query, index: TextIndex, folding: Folding): number | undefined {
  const scores = index.scores(doc)
  if (query.unwanted.some(term => scores.has(term))) return undefined
  const texts = index.texts(doc).map(({ text }) => fold(text, folding))
  const contains = (phrase: string): boolean => texts.some(text => text.includes(fold(phrase, folding)))
  if (!query.phrases.every(contains) || query.unwantedPhrases.some(contains)) return undefined
  if (folding.caseSensitive || folding.diacriticSensitive) {
    const present = new Set(texts.flatMap(words))
    if (!query.wantedWords.some(word => present.has(fold(word, folding)))) return undefined
  }
  const found = [...new Set(query.wanted)].filter(term => scores.has(term))
  return found.length === 0 ? undefined : found.reduce((sum, term) => sum + (scores.get(term) ?? 0), 0)
}
