import { step } from '../pace.ts'

/**
 * About the size of a value as BSON, never more than it is. Ends early above `most`: an expression can put one large value into a
 * document a thousand times.
 */
export function roughSize(value: unknown, most = Number.POSITIVE_INFINITY): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 1
  step()
  const proto: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    let size = 5
    for (let at = 0; at < value.length && size <= most; at++) size += 3 + roughSize(value[at], most - size)
    return size
  }
  if (proto !== Object.prototype)
    return 'length' in value && typeof value.length === 'function' ? Number(value.length()) : 8
  let size = 5
  for (const [name, field] of Object.entries(value)) {
    size += 2 + name.length + roughSize(field, most - size)
    if (size > most) break
  }
  return size
}
