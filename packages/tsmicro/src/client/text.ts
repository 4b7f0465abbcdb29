import { VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'

/** The text of a value in a path or a query: dates in ISO 8601, what has a JSON form of its own (an id, a decimal) in that. */
export function textOf(given: unknown, path: string): string {
  const value = given instanceof Date ? isoOf(given, path) : ownFormOf(given)
  if (typeof value === 'number' && !Number.isFinite(value)) throw refusal(path, `${value} cannot be written in a URL`)
  if (!['string', 'number', 'bigint', 'boolean'].includes(typeof value)) {
    const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
    throw refusal(
      path,
      `${kind} cannot be written in a URL; leave the field out, or make it a text or a field of the body`,
    )
  }
  const text = String(value)
  if (!text.isWellFormed() || text.includes('\0')) throw refusal(path, 'contains characters that are not text')
  return text
}

/** A failure of input that is not sent. */
export function refusal(path: string, message: string): InstanceType<typeof VALIDATION_FAILED> {
  const details: readonly ValidationDetail[] = [{ path, message }]
  return new VALIDATION_FAILED(details, { message: `${path} ${message}` })
}

function isoOf(date: Date, path: string): string {
  if (Number.isNaN(date.getTime())) throw refusal(path, 'an invalid Date cannot be written in a URL')
  return date.toISOString()
}

function ownFormOf(value: unknown): unknown {
  const form = typeof value === 'object' && value !== null && 'toJSON' in value ? value.toJSON : undefined
  return typeof form === 'function' ? form.call(value, '') : value
}
