import { configError } from '../config/config-error.ts'
import { literalPrefix } from './literal-prefix.ts'
import { normalizePath } from './normalize-path.ts'
import { translateRegex } from './translate-regex.ts'

/** How a route's path matches a normalized request path: a prefix, or (after `~`) a regular expression anchored at the start. */
export type PathPattern =
  | { readonly kind: 'prefix'; readonly prefix: string }
  /** `prefix`: what every path begins with that it matches. */
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
  if (normal === undefined) throw configError(place, 'holds a malformed escape or climbs above the root')
  if (normal !== bytes) {
    // Such a prefix could never match, as requests are normalized first. Kong refuses it too.
    throw configError(place, `is not normalized: write ${Buffer.from(normal, 'latin1').toString('utf8')}`)
  }
  return { kind: 'prefix', prefix: bytes }
}

/** The part of the path that the pattern matches, or undefined. */
export function matchPath(pattern: PathPattern, path: string): string | undefined {
  if (pattern.kind === 'prefix') return path.startsWith(pattern.prefix) ? pattern.prefix : undefined
  if (isAscii(path)) return pattern.regex.exec(path)?.[0]
  // Kong's regular expressions see characters, not bytes, and never match what is not UTF-8.
  const text = Buffer.from(path, 'latin1').toString('utf8')
  if (text.includes('\uFFFD')) return undefined
  const matched = pattern.regex.exec(text)?.[0]
  return matched === undefined ? undefined : Buffer.from(matched, 'utf8').toString('latin1')
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}
