const redacted = '[redacted]'

/** Compared after lower-casing and dropping `-` and `_`: `x-api-key`, `xApiKey` and `X_API_KEY` are one name. */
const sensitive = /(?:authorization|apikey|password|passwd|passphrase|secret|tokens?|cookie|privatekey|credentials?)$/

/** Deeper than any field of a log line should be; this also ends a walk through a cycle. */
const maxDepth = 8

/** Replaces the value of every field that is named like a credential, in a copy if there is anything to replace. */
export function redact(fields: object): Record<string, unknown> {
  return isPlain(fields) ? (fields as Record<string, unknown>) : copy(fields, 0)
}

/** Whether fields can be logged as they are, as most are. */
function isPlain(fields: object): boolean {
  for (const name in fields) {
    const value: unknown = Reflect.get(fields, name)
    if ((typeof value === 'object' && value !== null) || hides(name, value)) return false
  }
  return true
}

function copy(fields: object, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    result[name] = hides(name, value) ? redacted : clean(value, depth + 1)
  }
  return result
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > maxDepth) return '[deep]'
  if (Array.isArray(value)) return value.map(item => clean(item, depth + 1))
  if (value instanceof Error) return serializeError(value)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  // A value with a toJSON (Date, ObjectId, URL, config) knows how to print itself.
  return 'toJSON' in value ? value : copy(value, depth)
}

/** A flag or a missing value is not secret: `hasToken: true` stays. */
function hides(name: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'boolean') return false
  const known = verdicts.get(name)
  if (known !== undefined) return known
  const verdict = sensitive.test(name.toLowerCase().replace(/[-_]/g, ''))
  if (verdicts.size < MOST_VERDICTS) verdicts.set(name, verdict)
  return verdict
}

/** Which names are sensitive. Lines have the same few all the time. */
const verdicts = new Map<string, boolean>()
const MOST_VERDICTS = 1000

const jwt = /\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g
const bearer = /\b(bearer|basic)\s+[\w~+/.=-]{6,}/gi
const urlPassword = /(:\/\/[^:/?#\s"]*):[^@/?#\s"]+@/g

/** Masks tokens and passwords in URLs anywhere in a text. The checks come first, as most lines have none of them. */
export function maskText(text: string): string {
  let masked = text
  if (masked.includes('eyJ')) masked = masked.replace(jwt, redacted)
  if (/bearer|basic/i.test(masked)) masked = masked.replace(bearer, `$1 ${redacted}`)
  if (masked.includes('://') && masked.includes('@')) masked = masked.replace(urlPassword, `$1:${redacted}@`)
  return masked
}

/** Deeper causes are cut off: only a cycle is that deep. */
const maxCauses = 8

/**
 * Members of well-known errors that are useful and hold no user data. An allow-list, because PostgreSQL's `detail`, for
 * example, quotes the offending row.
 */
const kept = ['code', 'status', 'reason', 'constraint', 'table', 'syscall', 'address', 'port', 'signal', 'exitCode']

/** An error as fields of a log line, with its causes; any other value stays as it is. */
export function serializeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error
  const serialized: Record<string, unknown> = { type: error.name, message: error.message }
  for (const member of kept) {
    const value: unknown = Reflect.get(error, member)
    if (typeof value === 'string' || typeof value === 'number') serialized[member] = value
  }
  if (error.stack !== undefined) serialized.stack = error.stack
  if (depth < maxCauses) {
    if (error.cause !== undefined) serialized.cause = serializeError(error.cause, depth + 1)
    if (error instanceof AggregateError) serialized.errors = error.errors.map(one => serializeError(one, depth + 1))
  }
  return serialized
}
