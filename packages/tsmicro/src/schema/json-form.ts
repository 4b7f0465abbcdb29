import { hintFor } from '#hints'
import { VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import { isPrototype, mayBeUnclean, uncleanIn } from './json-text.ts'
import { formatProblems, type Problems, unknownFields, within } from './problems.ts'
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
 * Like {@link writeJson}, for data that a caller passed and that was checked. A text may contain what no receiver accepts.
 * @param what names the data in the message
 * @throws {VALIDATION_FAILED} naming the fields
 */
export function writeInput(value: unknown, what: string): string | undefined {
  const text = JSON.stringify(value) as string | undefined
  const unclean = text !== undefined && mayBeUnclean(text) ? uncleanIn(JSON.parse(text)) : []
  if (unclean.length > 0) throw refusal(what, unclean)
  return text
}

/** The error for data that is not sent. */
export function refusal(what: string, problems: Problems): InstanceType<typeof VALIDATION_FAILED> {
  return new VALIDATION_FAILED(problems, { message: `${what}: ${formatProblems(problems)}` })
}

/** Returns a value as the receiver will read it; a bigint becomes the text of its digits. */
export function asJson(value: unknown): unknown {
  if (isPlainJson(value)) return value
  const text = JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member))
  return text === undefined ? undefined : JSON.parse(text)
}

/** The JSON form that a value gives itself by `toJSON`, such as the text of a Date; otherwise the value. */
export function ownForm(value: unknown): unknown {
  const form = typeof value === 'object' && value !== null && 'toJSON' in value ? value.toJSON : undefined
  return typeof form === 'function' ? form.call(value, '') : value
}

/** Thrown for a value that its schema lets through although JSON cannot carry it. */
export class NoJsonError extends Error {
  readonly problem: ValidationDetail

  constructor(problem: ValidationDetail) {
    super()
    this.problem = problem
  }

  /** The same error, seen from the object or the list around the value. Other errors are returned unchanged. */
  static within(name: string, error: unknown): unknown {
    return error instanceof NoJsonError ? new NoJsonError(within(name, error.problem)) : error
  }
}

/** Objects whose fields are not what they hold. */
const OPAQUE =
  /(Map|Set|RegExp|Error|Date|Promise|Generator|Iterator|Array|Buffer|View|Headers|Data|URL|Params|Blob|File)]$/

/** Whether an object would be written as `{}`, or as something else that only looks like it. */
export function isOpaque(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null || Array.isArray(value)) return false
  return OPAQUE.test(Object.prototype.toString.call(value))
}

/** Whether JSON lacks a value that is not an object. Undefined is left out. */
function isForeign(value: unknown): boolean {
  return /^(bigint|function|symbol)$/.test(typeof value) || (typeof value === 'number' && !Number.isFinite(value))
}

/** Says that JSON has no form for a value. */
export function noForm(value: unknown): ValidationDetail {
  const hint = hintFor(value)
  return { path: '', message: `has no form in JSON${hint ? ` (${hint})` : ''}` }
}

/**
 * Finds what JSON cannot carry, or would change in silence (a bigint, a Map, a function, an object that contains itself), and the names that
 * no receiver accepts.
 */
export function unwritableIn(
  value: unknown,
  above: readonly unknown[] = [],
  holder = '',
): ValidationDetail | undefined {
  if (typeof value !== 'object' || value === null) return isForeign(value) ? noForm(value) : undefined
  if (above.includes(value)) return { path: '', message: 'contains itself' }
  const hasForm = 'toJSON' in value && typeof value.toJSON === 'function'
  if (isOpaque(value) && (!hasForm || ArrayBuffer.isView(value))) return noForm(value)
  if (hasForm) return undefined
  const inner = [...above, value]
  for (const [name, member] of Object.entries(value)) {
    if (isPrototype(name, holder)) return unnameable(name)
    const found = member === undefined && Array.isArray(value) ? UNDEFINED_ITEM : unwritableIn(member, inner, name)
    if (found) return within(name, found)
  }
  return undefined
}

/** Says that no receiver takes a field of this name. */
export function unnameable(name: string): ValidationDetail {
  return { path: '', message: unknownFields([name]) }
}

/** JSON would have null in its place. */
export const UNDEFINED_ITEM: ValidationDetail = { path: '', message: 'is undefined' }

/** Whether the receiver will read a value unchanged: it contains nothing undefined, no dates, class instances, bigints or the like. */
function isPlainJson(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.every(isPlainJson)
  const prototype = Object.getPrototypeOf(value)
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) return false
  return isNode(value) && Object.values(value).every(isPlainJson)
}
