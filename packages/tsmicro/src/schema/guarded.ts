import type { Checked } from './standard-check.ts'

const TOO_DEEP: Checked = { problems: [{ path: '', message: 'is nested too deeply' }] }

/** A schema that contains itself is checked recursively: hostile nesting is then a problem of the value, not of ours. */
export function guarded(check: (value: unknown) => Checked): (value: unknown) => Checked {
  return value => {
    try {
      return check(value)
    } catch (error) {
      if (error instanceof RangeError) return TOO_DEEP
      throw error
    }
  }
}
