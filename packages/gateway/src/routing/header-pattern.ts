import { configError } from '../config/config-error.ts'
import { translateRegex } from './translate-regex.ts'

/** One header field that a route asks for. */
export interface HeaderPattern {
  /** In lower case. */
  readonly name: string
  /** As they are written. */
  readonly values: readonly string[]
  /** Of one value of the field, in lower case. */
  readonly matches: readonly ((value: string) => boolean)[]
}

/**
 * Reads the values for one name of a route's `headers`: each a value, whatever its case, or after `~*` a regular expression that
 * matches anywhere in it. Throws `GatewayConfigError`.
 */
export function headerPattern(name: string, values: readonly string[], place: string): HeaderPattern {
  const matches = values.map((value, index) => {
    if (!value.startsWith('~*')) {
      const wanted = value.toLowerCase()
      return (given: string) => given === wanted
    }
    const regex = lowerCaseRegex(value.slice(2), `${place}[${index}]`)
    return (given: string) => regex.test(given)
  })
  return { name: name.toLowerCase(), values, matches }
}

/** Kong makes the whole expression lower-case, as it does the value: `[A-Z]` still matches letters, but `\S` would become `\s`. */
function lowerCaseRegex(source: string, place: string): RegExp {
  const risky = /\\[A-Z]/.exec(source.replaceAll('\\\\', ''))?.[0]
  if (risky !== undefined) {
    const fault = `Kong reads it in lower case, where ${risky} becomes ${risky.toLowerCase()}: write it in another way`
    throw configError(place, `regular expression: ${fault}`)
  }
  return translateRegex(source.toLowerCase(), place, 'anywhere')
}
