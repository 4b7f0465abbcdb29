import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import { parsePath, reachedValues } from './path.ts'

/** A text index, applied to documents. */
export interface TextIndex {
  /** Whether English stop words are dropped (`default_language` is not `none`). */
  readonly stop: boolean
  /** The texts of the indexed fields, with the weights of these fields. */
  texts(doc: Doc): { text: string; weight: number }[]
  /** All terms of a document. */
  terms(doc: Doc): string[]
  /** The relevance of each term in a document. */
  scores(doc: Doc): Map<string, number>
}

export function compileTextIndex(spec: Doc): TextIndex {
  const stop = spec.default_language !== 'none'
  const weights = Object.entries(isDoc(spec.weights) ? spec.weights : {}).map(
    ([name, weight]) => [name, isNumeric(weight) ? toNumber(weight) : 1] as const,
  )
  const texts = (doc: Doc): { text: string; weight: number }[] =>
    weights.flatMap(([name, weight]) =>
      (name === '$**' ? strings(doc) : reachedValues(doc, parsePath(name)))
        .filter(value => typeof value === 'string')
        .map(text => ({ text, weight })),
    )
  return {
    stop,
    texts,
    terms: doc => [...new Set(texts(doc).flatMap(({ text }) => terms(text, stop)))],
    scores: doc => {
      const scores = new Map<string, number>()
      for (const { text, weight } of texts(doc)) addScores(scores, text, weight, stop)
      return scores
    },
  }
}

/**
 * MongoDB's formula: the n-th occurrence of a term counts 1/2^(n-1), a term counts more the more of the field it makes up,
 * and 10 % more if it is the whole field.
 */
function addScores(scores: Map<string, number>, text: string, weight: number, stop: boolean): void {
  const found = terms(text, stop)
  const counts = new Map<string, number>()
  for (const term of found) counts.set(term, (counts.get(term) ?? 0) + 1)
  const whole = fold(text, foldAll)
  for (const [term, count] of counts) {
    const frequency = 2 - 2 ** (1 - count)
    const share = 0.5 + (0.5 * count) / found.length
    const score = weight * frequency * share * (whole === term ? 1.1 : 1)
    scores.set(term, (scores.get(term) ?? 0) + score)
  }
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(strings)
  return isDoc(value) ? Object.values(value).flatMap(strings) : []
}

/** A compiled `$text` search. */
export interface TextSearch {
  /** A document needs at least one of these terms. */
  readonly terms: readonly string[]
  /** The score of a document, or `undefined` if it does not match. */
  score(doc: Doc): number | undefined
}

const known = ['$search', '$language', '$caseSensitive', '$diacriticSensitive']

/** @throws CommandError for a malformed `$text` */
export function compileTextSearch(argument: unknown, index: TextIndex): TextSearch {
  if (!isDoc(argument) || typeof argument.$search !== 'string')
    fail('$text needs { $search: <string> }', 'TypeMismatch')
  const unknown = Object.keys(argument).find(key => !known.includes(key))
  if (unknown !== undefined) fail(`unknown $text option: ${unknown}`)
  const folding: Folding = {
    caseSensitive: flag(argument, '$caseSensitive'),
    diacriticSensitive: flag(argument, '$diacriticSensitive'),
  }
  const { $language: language } = argument
  if (language !== undefined && typeof language !== 'string') fail('$language must be a string', 'TypeMismatch')
  if (language !== undefined && language !== 'english' && language !== 'none')
    fail(`unsupported language: "${language}", this server knows 'english' and 'none'`)
  const stop = language === undefined ? index.stop : language !== 'none'
  const query = parse(argument.$search, stop)
  return { terms: query.wanted, score: doc => score(doc, query, index, folding) }
}

function flag(argument: Doc, name: string): boolean {
  const value = argument[name] ?? false
  return typeof value === 'boolean' ? value : fail(`${name} must be a boolean`, 'TypeMismatch')
}

interface Query {
  readonly wanted: string[]
  /** The wanted words as written, for case- and accent-sensitive searches. */
  readonly wantedWords: string[]
  readonly unwanted: string[]
  readonly phrases: string[]
  readonly unwantedPhrases: string[]
}

/** Parses `word "a phrase" -word -"a phrase"`. A minus only counts at the beginning of a word: `a-b` is two words. */
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

/** Words too common to search for, which MongoDB drops from English text indexes and searches. */
const stopWords = new Set(
  (
    'a about above after again against all am an and any are as at be because been before being below between both but by ' +
    'can cannot could did do does doing down during each few for from further had has have having he her here hers ' +
    'herself him himself his how i if in into is it its itself me more most my myself no nor not of off on once only or ' +
    'other our ours ourselves out over own same she should so some such than that the their theirs them themselves then ' +
    'there these they this those through to too under until up very was we were what when where which while who whom why ' +
    'with would you your yours yourself yourselves'
  ).split(' '),
)

interface Folding {
  readonly caseSensitive: boolean
  readonly diacriticSensitive: boolean
}

/** Ignores case and accents, the default of searches. */
const foldAll: Folding = { caseSensitive: false, diacriticSensitive: false }

function fold(text: string, folding: Folding): string {
  const bare = folding.diacriticSensitive ? text : text.normalize('NFD').replace(/\p{Mn}+/gu, '')
  return folding.caseSensitive ? bare : bare.toLowerCase()
}

/** The words of a text as written: runs of letters, marks, digits and underscores. There is no stemming. */
const words = (text: string): string[] => text.match(/[\p{L}\p{M}\p{N}_]+/gu) ?? []

/** The terms of a text as the index contains them. `stop`: drop English stop words. */
function terms(text: string, stop: boolean): string[] {
  const folded = words(text).map(word => fold(word, foldAll))
  return stop ? folded.filter(word => !stopWords.has(word)) : folded
}
