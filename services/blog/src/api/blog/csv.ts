import type { PrivateBlogItem } from '@blog-platform/blog-contract'

const COLUMNS = ['_id', 'title', 'description', 'slug', 'imgUrl', 'tags', 'score', 'revision'] as const
const STATE = ['submitted', 'drafted', 'published', 'publishedAt', 'createdAt', 'updatedAt'] as const
const NAMES = [...COLUMNS, ...STATE]

/**
 * Blogs as CSV (RFC 4180), batch by batch. The names of the columns come with the first batch: if that cannot be read, the client gets an
 * error and not a file that breaks off.
 */
export async function* csvOf(batches: AsyncIterable<readonly PrivateBlogItem[]>): AsyncGenerator<string> {
  let names = lineOf(NAMES)
  for await (const blogs of batches) {
    yield names + blogs.map(blog => lineOf(NAMES.map(name => textOf(blog[name])))).join('')
    names = ''
  }
  if (names !== '') yield names
}

function lineOf(cells: readonly string[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`
}

function textOf(value: PrivateBlogItem[keyof PrivateBlogItem]): string {
  return Array.isArray(value) ? value.join('; ') : String(value ?? '')
}

/** Spreadsheets run what begins like a formula: with an apostrophe before it, it is text. */
function cellOf(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
