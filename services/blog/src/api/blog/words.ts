/** Longer texts are searched for by their beginning: a search costs by the word. */
const MOST_WORDS = 100

const WORD = /[\p{L}\p{M}\p{N}_]+(?:['’][\p{L}\p{M}\p{N}_]+)*/gu

/**
 * The words of a text, each once, for a `$text` search. Whatever has a meaning there (`-word`, `"a phrase"`) is lost, so that
 * any text finds what has words in common with it; MongoDB itself folds case and accents and leaves out words like "the".
 * @returns '' when there are none: nothing can be found then
 */
export function wordsOf(text: string): string {
  const words = new Set(text.toLowerCase().match(WORD))
  return [...words].slice(0, MOST_WORDS).join(' ')
}
