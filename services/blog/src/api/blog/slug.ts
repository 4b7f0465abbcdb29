import { SLUG_INVALID } from '@blog-platform/blog-contract'

const SHORTEST = 3
const LONGEST = 200

/**
 * The one form of a slug: lower-case ASCII letters and digits in words joined by single dashes, at most 200 characters.
 * Accents go (`Café` → `cafe`); letters without an ASCII form become dashes, so that no two slugs look alike.
 *
 * Writing and reading both normalise, so `/slug/Hello%20World` finds `hello-world`.
 * @returns undefined when fewer than three characters are left
 */
export function normalizeSlug(text: string): string | undefined {
  const words = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
  // Cut only here: a single character may unfold into several.
  const slug = words.slice(0, LONGEST).replace(/-$/, '')
  return slug.length < SHORTEST ? undefined : slug
}

/** @throws {SLUG_INVALID} when too little is left */
export function slugOf(text: string): string {
  const slug = normalizeSlug(text)
  if (slug === undefined) throw new SLUG_INVALID()
  return slug
}
