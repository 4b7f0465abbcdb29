import fc from 'fast-check'

/** Words to write and to search for, in spellings that a search treats as equal. Their stems differ. */
const WORDS = ['otter', 'badger', 'heron', 'lynx', 'stoat', 'newt', 'ibex', 'Otter', 'HERON', 'stöat', 'Lýnx']
const STOP_WORDS = ['the', 'and', 'of']

const word = fc.constantFrom(...WORDS)

/**
 * A title or description. The number of words that count is a power of two, so that every score is exact in binary: equal scores compare as
 * equal, in whatever order the terms are added.
 */
export const text: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(2, 2, 4, 8).chain(length => fc.array(word, { minLength: length, maxLength: length })),
    fc.array(fc.constantFrom(...STOP_WORDS), { maxLength: 2 }),
    fc.constantFrom('', '!', ' –', '.'),
  )
  .map(([words, stops, end]) => [...stops, ...words].join(' ') + end)

/** A search text, with signs that must have no meaning. */
export const question: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.array(word, { minLength: 1, maxLength: 3 }).map(words => words.join(' ')) },
  { weight: 1, arbitrary: word.map(each => `"${each} -${each}"`) },
  { weight: 1, arbitrary: fc.constantFrom('?!', 'the of', 'unicorn', 'otters', '-heron', '{"$ne":1}') },
)

/** The words that a search counts, in the form that it compares. */
function terms(text: string): readonly string[] {
  const bare = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return (bare.match(/[a-z0-9]+/g) ?? []).filter(each => !STOP_WORDS.includes(each))
}

/**
 * How well a blog matches a search, by MongoDB's formula (`FTSSpec::scoreDocument`): the n-th occurrence of a term in a field
 * counts 1/2^(n-1), times 1/2 + its share of the field's words / 2, times the field's weight. 0 = not at all.
 */
export function scoreOf(
  { title, description }: { readonly title: string; readonly description: string },
  question: string,
) {
  const wanted = new Set(terms(question))
  let score = 0
  for (const [text, weight] of [
    [title, 3],
    [description, 1],
  ] as const) {
    const found = terms(text)
    for (const term of wanted) {
      const count = found.filter(each => each === term).length
      if (count > 0) score += weight * (2 - 2 ** (1 - count)) * (0.5 + (0.5 * count) / found.length)
    }
  }
  return score
}
