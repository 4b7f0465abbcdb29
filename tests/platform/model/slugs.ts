/** A spelling of a slug, and its normal form. */
export interface Spelling {
  readonly written: string
  /** Absent = it cannot be a slug. */
  readonly normal?: string
}

/** The rules, applied by hand: lower-case ASCII letters and digits, in words joined by dashes, 3 to 200 characters. */
const STRANGE: readonly Spelling[] = [
  { written: 'Café au lait', normal: 'cafe-au-lait' },
  { written: 'cafe-au-lait', normal: 'cafe-au-lait' },
  { written: '  CAFE__au//Lait!! ', normal: 'cafe-au-lait' },
  { written: 'cafe\u0301 au lait', normal: 'cafe-au-lait' },
  { written: 'ﬁne print', normal: 'fine-print' },
  { written: 'fine.print', normal: 'fine-print' },
  { written: '日本語 abc', normal: 'abc' },
  { written: 'x'.repeat(190), normal: 'x'.repeat(190) },
  { written: 'ﬃ'.repeat(100), normal: 'ffi'.repeat(100) },
]

const IMPOSSIBLE: readonly Spelling[] = ['---', '日本語日本語', '!a!', '  ab  ', '😀😀😀'].map(written => ({ written }))

const PLAIN: readonly Spelling[] = Array.from({ length: 60 }, (_, index) => {
  const written = [`post-${index}`, `Post ${index}`, `POST_${index}`]
  return { written: written[index % 3] ?? '', normal: `post-${index}` }
})

const REPEATED: readonly Spelling[] = PLAIN.slice(0, 12).map(({ normal = '' }) => ({
  written: normal.toUpperCase().replace('-', ' – '),
  normal,
}))

/** Most of them conflict with others. */
export const SPELLINGS: readonly Spelling[] = [...STRANGE, ...IMPOSSIBLE, ...PLAIN, ...REPEATED]

const LONGEST = 200

/** The spelling as a run uses it: slugs are taken forever, so each run has its own. */
export function spelledIn(run: string, { written, normal }: Spelling): Spelling {
  if (normal === undefined) return { written }
  return { written: `${run} ${written}`.slice(0, LONGEST), normal: `${run}-${normal}`.slice(0, LONGEST) }
}
