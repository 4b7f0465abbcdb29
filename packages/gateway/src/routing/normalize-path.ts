/**
 * The form of a request path that routes are matched against and that is forwarded, as Kong 3.9 makes it: `%6f` becomes
 * `o`, dot segments and doubled slashes go, `%2F` and other reserved characters stay encoded (in upper case).
 *
 * Strings hold one byte per character (latin1), as `node:http` delivers them. Answers undefined where nginx, which
 * stands in front of Kong's router, refuses the request: a malformed or NUL escape, or a path that climbs above the root.
 *
 * ```ts
 * normalizePath('/a//b/../%63') // '/a/c'
 * normalizePath('/../a')        // undefined
 * ```
 */
export function normalizePath(path: string): string | undefined {
  const decoded = path.includes('%') ? decodeUnreserved(path) : path
  if (decoded === undefined) return undefined
  // Almost every request ends here; only a segment that starts with a dot can be a dot segment.
  if (!decoded.includes('/.') && !decoded.includes('//')) return decoded
  return removeDotSegments(decoded)
}

/** The path as it may stand in a request line: what normalizing decoded and a request line cannot hold is encoded again. */
export function escapePath(path: string): string {
  if (!UNSAFE.test(path)) return path
  return path.replace(UNSAFE_ALL, char => `%${hex(char.charCodeAt(0))}`)
}

const RESERVED = new Set("!*'();:@&=+$,/?%#[]")
const UNSAFE = /[^!#$&'()*+,/:;=?@[\]A-Za-z\d\-_.~%]/
const UNSAFE_ALL = new RegExp(UNSAFE, 'g')

function decodeUnreserved(path: string): string | undefined {
  if (/%(?![\dA-Fa-f]{2})|%00/.test(path)) return undefined
  return path.replace(/%[\dA-Fa-f]{2}/g, triplet => {
    const char = String.fromCharCode(Number.parseInt(triplet.slice(1), 16))
    return RESERVED.has(char) ? triplet.toUpperCase() : char
  })
}

function removeDotSegments(path: string): string | undefined {
  const kept: string[] = []
  const segments = path.slice(1).split('/')
  for (const segment of segments) {
    if (segment === '..') {
      // Slashes in a row are one, as in nginx: `//../a` climbs as high as `/../a`.
      if (kept.pop() === undefined) return undefined
    } else if (segment !== '.' && segment !== '') {
      kept.push(segment)
    }
  }
  const last = segments.at(-1)
  const endsInSlash = last === '' || last === '.' || last === '..'
  return kept.length === 0 ? '/' : `/${kept.join('/')}${endsInSlash ? '/' : ''}`
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}
