import type { PrivateBlogItem } from '@blog-platform/blog-contract'

const COLUMNS = ['_id', 'title', 'description', 'slug', 'imgUrl', 'tags', 'score', 'revision'] as const
const STATE = ['submitted', 'drafted', 'published', 'publishedAt', 'createdAt', 'updatedAt'] as const
const NAMES = [...COLUMNS, ...STATE]

/** Blogs as CSV (RFC 4180), batch by batch. */
export async function* csvOf(batches: AsyncIterable<readonly PrivateBlogItem[]>): AsyncGenerator<string> {
  yield lineOf(NAMES)
  for await (const blogs of batches) yield blogs.map(blog => lineOf(NAMES.map(name => textOf(blog[name])))).join('')
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
