import { SLUG_INVALID } from '@blog-platform/blog-contract'

const SHORTEST_SLUG = 3
const LONGEST_SLUG = 200

/**
 * The normal form of a slug: lower-case ASCII letters and digits in words joined by single dashes, at most 200 characters.
 * Accents are dropped (`Café` → `cafe`). Letters without an ASCII form become dashes, so that no two slugs look alike.
 *
 * Slugs are normalized on writing and on reading, so `/slug/Hello%20World` finds `hello-world`.
 * @returns undefined if fewer than three characters are left
 */
export function normalizeSlug(text: string): string | undefined {
  const words = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
  // Cut only here, because normalization may turn a single character into several.
  const slug = words.slice(0, LONGEST_SLUG).replace(/-$/, '')
  return slug.length < SHORTEST_SLUG ? undefined : slug
}

/** @throws {SLUG_INVALID} if too little is left */
export function slugOf(text: string): string {
  const slug = normalizeSlug(text)
  if (slug === undefined) throw new SLUG_INVALID()
  return slug
}

/** Only the beginning of longer texts is used, because every word makes a search more expensive. */
const MOST_WORDS = 100

const WORD = /[\p{L}\p{M}\p{N}_]+(?:['’][\p{L}\p{M}\p{N}_]+)*/gu

/**
 * The words of a text, each once, for a `$text` search. Search operators (`-word`, `"a phrase"`) are dropped, so that any text
 * finds what has words in common with it. MongoDB itself ignores case, accents and words like "the".
 * @returns '' if there are no words, and nothing can be found
 */
export function wordsOf(text: string): string {
  const words = new Set(text.toLowerCase().match(WORD))
  return [...words].slice(0, MOST_WORDS).join(' ')
}
