import type { Problems } from './problems.ts'

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

/** What kind of value it is, and what to use instead. */
export function hintFor(value: unknown, message = ''): string | undefined {
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
  if (value instanceof Promise) return 'a Promise: await it'
  if (ArrayBuffer.isView(value)) return "bytes: give them as text, e.g. Buffer.from(it).toString('base64')"
  const name = value.constructor?.name
  return name && name !== 'Object' && name !== 'Array'
    ? `an object of class ${name}: give a text or its fields`
    : undefined
}
