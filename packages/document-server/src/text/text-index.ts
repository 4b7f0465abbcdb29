import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { parsePath, reachedValues } from '../query/path.ts'
import { fold, foldAll, terms } from './tokens.ts'

/** What a text index does with a document. */
export interface TextIndex {
  /** Whether English stop words are left out (`default_language` is not `none`). */
  readonly stop: boolean
  /** The texts of the indexed fields with the weights of the fields. */
  texts(doc: Doc): { text: string; weight: number }[]
  /** All terms of a document. */
  terms(doc: Doc): string[]
  /** Relevance of each term in a document. */
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
 * MongoDB's formula: the n-th occurrence of a term counts 1/2^(n-1); terms that make up more of a field count more;
 * a field that is just the term gets a tenth more.
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
