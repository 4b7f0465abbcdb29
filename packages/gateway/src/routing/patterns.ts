import { isUtf8 } from 'node:buffer'
import { configError } from '../config/section.ts'
import { normalizePath } from './paths.ts'
import { literalPrefix, translateRegex } from './regex.ts'

/** Matches a normalized request path: a prefix or, after `~`, a regular expression anchored at the start. */
export type PathPattern =
  | { readonly kind: 'prefix'; readonly prefix: string }
  /** `prefix`: how every path begins that it matches. */
  | { readonly kind: 'regex'; readonly prefix: string; readonly regex: RegExp }

/** Reads one entry of a route's `paths`. Throws `GatewayConfigError`. */
export function pathPattern(path: string, place: string): PathPattern {
  if (path.startsWith('~/')) {
    const source = path.slice(1)
    return { kind: 'regex', prefix: literalPrefix(source), regex: translateRegex(source, place) }
  }
  if (!path.startsWith('/')) throw configError(place, 'must start with / or, for a regular expression, with ~/')
  const bytes = Buffer.from(path, 'utf8').toString('latin1')
  const normal = normalizePath(bytes)
  if (normal === undefined) throw configError(place, 'contains a malformed escape or climbs above the root')
  if (normal !== bytes) {
    // Such a prefix could never match, because requests are normalized first. Kong refuses it too.
    throw configError(place, `is not normalized: write ${Buffer.from(normal, 'latin1').toString('utf8')}`)
  }
  return { kind: 'prefix', prefix: bytes }
}

/**
 * Returns the part of the path that the pattern matches, or undefined. `text`: the path in characters, because Kong's regular expressions
 * match characters and not bytes.
 */
export function matchPath(pattern: PathPattern, path: string, text: string): string | undefined {
  if (pattern.kind === 'prefix') return path.startsWith(pattern.prefix) ? pattern.prefix : undefined
  const matched = pattern.regex.exec(text)?.[0]
  return matched === undefined || text === path ? matched : Buffer.from(matched, 'utf8').toString('latin1')
}

/** Returns the characters of a path that has one character per byte; undefined if it is not UTF-8. */
export function textOfPath(path: string): string | undefined {
  if (isAscii(path)) return path
  const bytes = Buffer.from(path, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}

export interface HostPattern {
  /** The only host name that it matches; undefined if it has a wildcard. */
  readonly name: string | undefined
  /** The position of its wildcard. */
  readonly wildcard: 'start' | 'end' | undefined
  /** Matches a host name without its port, in the case in which it was sent. */
  readonly matches: (host: string) => boolean
  /** Undefined matches any port. */
  readonly port: number | undefined
}

/** Parses `example.com`, `*.example.com` or `example.*`, in lower case, with an optional port. */
export function hostPattern(text: string): HostPattern {
  const colon = text.indexOf(':')
  const pattern = colon === -1 ? text : text.slice(0, colon)
  return {
    name: pattern.includes('*') ? undefined : pattern,
    wildcard: pattern.startsWith('*') ? 'start' : pattern.endsWith('*') ? 'end' : undefined,
    matches: hostMatcher(pattern),
    port: colon === -1 ? undefined : Number(text.slice(colon + 1)),
  }
}

/** Makes the test for a host name that may have a wildcard at one end. */
export function hostMatcher(pattern: string): (host: string) => boolean {
  if (pattern.startsWith('*')) {
    const end = pattern.slice(1)
    return host => host.endsWith(end)
  }
  if (pattern.endsWith('*')) {
    const start = pattern.slice(0, -1)
    return host => host.startsWith(start)
  }
  return host => host === pattern
}

/** A header field that a route requires. */
export interface HeaderPattern {
  /** In lower case. */
  readonly name: string
  /** As written in the config. */
  readonly values: readonly string[]
  /** Each tests a value of the field, in lower case. */
  readonly matches: readonly ((value: string) => boolean)[]
}

/**
 * Reads the values for one name of a route's `headers`. Each is a case-insensitive value or, after `~*`, a regular expression that
 * may match anywhere. Throws `GatewayConfigError`.
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

/** Kong lower-cases the whole expression and the value. `[A-Z]` still matches letters, but `\S` would become `\s`. */
function lowerCaseRegex(source: string, place: string): RegExp {
  const risky = /\\[A-Z]/.exec(source.replaceAll('\\\\', ''))?.[0]
  if (risky !== undefined) {
    const fault = `Kong lower-cases it, and ${risky} becomes ${risky.toLowerCase()}: write it in another way`
    throw configError(place, `regular expression: ${fault}`)
  }
  return translateRegex(source.toLowerCase(), place, 'anywhere')
}
