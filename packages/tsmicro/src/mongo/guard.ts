import { ObjectId } from 'mongodb'

/** Operators that run a program on the server. */
const programs = new Set(['$where', '$function', '$accumulator'])

/**
 * Refuses filters and pipelines that would run JavaScript on the server.
 * @throws {TypeError}
 */
export function assertNoPrograms(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof ObjectId) return
  for (const [name, part] of Object.entries(value)) {
    if (programs.has(name)) throw new TypeError(`${name} is not allowed in a filter or pipeline`)
    assertNoPrograms(part)
  }
}

/**
 * Returns a value that a filter may compare with: text, number, boolean, null, date, ObjectId. Use it for a value from outside
 * whose schema does not guarantee that: in `{ slug: value }`, an unchecked `value` of `{ $ne: null }` would change the meaning
 * of the filter.
 *
 * @throws {TypeError} for any other object
 * @example
 * const blog = await blogs.findOne({ slug: literal(params.slug) })
 */
export function literal<T>(value: T): T {
  const plain = typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol'
  if (plain || value === null || value instanceof Date || value instanceof ObjectId) return value
  throw new TypeError('a value in a filter must be plain, not an object')
}
