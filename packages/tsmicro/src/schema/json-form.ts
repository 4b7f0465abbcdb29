import { VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import { mayBeUnclean, uncleanIn } from './json-text.ts'
import { formatProblems, type Problems, pointerTo } from './problems.ts'
import { isNode } from './schema.ts'

/**
 * Writes a value as JSON text; returns undefined if it has no JSON form.
 * @throws {TypeError} naming the field that JSON cannot carry, and what to use instead
 */
export function writeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    const found = unwritableIn(value)
    throw found ? new TypeError(`cannot be written as JSON: ${formatProblems([found])}`, { cause }) : cause
  }
}

/**
 * Like {@link writeJson}, for data that a caller passed: a schema such as `Type.Any()` lets through what JSON cannot carry, and a text may
 * contain what no receiver accepts.
 * @param what names the data in the message
 * @throws {VALIDATION_FAILED} naming the fields
 */
export function writeInput(value: unknown, what: string): string | undefined {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    const found = unwritableIn(value)
    throw found ? refusal(`${what} cannot be written as JSON`, [found], cause) : cause
  }
  const unclean = text !== undefined && mayBeUnclean(text) ? uncleanIn(JSON.parse(text)) : []
  if (unclean.length > 0) throw refusal(what, unclean)
  return text
}

/** The error for data that is not sent. */
export function refusal(what: string, problems: Problems, cause?: unknown): InstanceType<typeof VALIDATION_FAILED> {
  return new VALIDATION_FAILED(problems, { message: `${what}: ${formatProblems(problems)}`, cause })
}

/** Returns a value as the receiver will read it; a bigint becomes the text of its digits. */
export function asJson(value: unknown): { value: unknown; problems?: undefined } | { problems: Problems } {
  if (isPlainJson(value, 0)) return { value }
  try {
    const text = JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member))
    return { value: text === undefined ? undefined : JSON.parse(text) }
  } catch (error) {
    return { problems: [unwritableIn(value) ?? { path: '', message: (error as Error).message }] }
  }
}

/** Adds to each problem of an outgoing value what kind of value it is, and what to use instead. */
export function addHints(problems: Problems, value: unknown): Problems {
  return problems.map(({ path, message }) => {
    const hint = hintFor(valueAt(value, path), message)
    return { path, message: hint ? `${message} (${hint})` : message }
  })
}

function valueAt(value: unknown, path: string): unknown {
  if (path === '') return value
  return path.split('/').reduce<unknown>((found, part) => {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    return (found as Record<string, unknown> | null | undefined)?.[name]
  }, value)
}

function hintFor(value: unknown, message: string): string | undefined {
  if (typeof value === 'bigint') return 'a bigint: give String(it) and declare a text, or Number(it) where it is small'
  if (typeof value === 'number' && !Number.isFinite(value))
    return `${value}: JSON has no form for it, give null or leave it out`
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}: JSON has no form for it`
  if (typeof value === 'string' && /\b(number|integer)\b/.test(message) && /^-?\d+(\.\d+)?$/.test(value))
    return 'text, as PostgreSQL gives numeric and bigint: give Number(it), or declare a text'
  return typeof value === 'object' && value !== null ? hintForObject(value) : undefined
}

function hintForObject(value: object): string | undefined {
  if (value instanceof Date) return 'a Date: give its toISOString(), for a text with format date-time'
  if (value instanceof Map) return 'a Map: give Object.fromEntries(it)'
  if (value instanceof Set) return 'a Set: give [...it]'
  if (value instanceof Uint8Array) return "bytes: give them as text, e.g. Buffer.from(it).toString('base64')"
  const name = value.constructor?.name
  return name && name !== 'Object' && name !== 'Array'
    ? `an object of class ${name}: give a text or its fields`
    : undefined
}

/** Finds the value that makes `JSON.stringify` throw: a bigint, or an object that contains itself. */
function unwritableIn(value: unknown, path = '', above: readonly unknown[] = []): ValidationDetail | undefined {
  if (typeof value === 'bigint') return { path, message: `has no form in JSON (${hintFor(value, '')})` }
  if (typeof value !== 'object' || value === null) return undefined
  if (above.includes(value)) return { path, message: 'contains itself' }
  if (above.length > 100) return { path, message: 'is nested too deeply' }
  for (const [name, member] of Object.entries(value)) {
    const found = unwritableIn(member, pointerTo(path, name), [...above, value])
    if (found) return found
  }
  return undefined
}

/** Whether the receiver will read a value unchanged: it contains nothing undefined, no dates, class instances, bigints or the like. */
function isPlainJson(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth > 100) return false
  if (Array.isArray(value)) return value.every(item => isPlainJson(item, depth + 1))
  const prototype = Object.getPrototypeOf(value)
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) return false
  return isNode(value) && Object.values(value).every(member => isPlainJson(member, depth + 1))
}
