/** Words too common to search for: MongoDB leaves such words out of English text indexes and searches. */
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

export interface Folding {
  readonly caseSensitive: boolean
  readonly diacriticSensitive: boolean
}

/** Case and accents as the search ignores them by default. */
export const foldAll: Folding = { caseSensitive: false, diacriticSensitive: false }

export function fold(text: string, folding: Folding): string {
  const bare = folding.diacriticSensitive ? text : text.normalize('NFD').replace(/\p{Mn}+/gu, '')
  return folding.caseSensitive ? bare : bare.toLowerCase()
}

/** Words of a text as written: runs of letters, marks, digits and underscores. No stemming. */
export const words = (text: string): string[] => text.match(/[\p{L}\p{M}\p{N}_]+/gu) ?? []

/** Terms of a text as the index has them. `stop`: leave out English stop words. */
export function terms(text: string, stop: boolean): string[] {
  const folded = words(text).map(word => fold(word, foldAll))
  return stop ? folded.filter(word => !stopWords.has(word)) : folded
}
