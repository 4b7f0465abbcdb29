/**
 * Normalizes a request path as Kong 3.9 does, for matching and forwarding: `%6f` becomes `o`, dot segments and doubled slashes are
 * removed, `%2F` and other reserved characters stay encoded (in upper case).
 *
 * Strings have one byte per character (latin1), as `node:http` delivers them. Returns undefined where nginx, which stands in front of
 * Kong's router, refuses the request: a malformed or NUL escape, or a path that climbs above the root.
 *
 * ```ts
 * normalizePath('/a//b/../%63') // '/a/c'
 * normalizePath('/../a')        // undefined
 * ```
 */
export function normalizePath(path: string): string | undefined {
  const decoded = path.includes('%') ? decodeUnreserved(path) : path
  if (decoded === undefined) return undefined
  // Almost every request ends here: only a segment that starts with a dot can be a dot segment.
  if (!decoded.includes('/.') && !decoded.includes('//')) return decoded
  return removeDotSegments(decoded)
}

/** Encodes the characters again that normalizing decoded, but that are not allowed in a request line. */
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
      // Consecutive slashes count as one, as in nginx: `//../a` climbs as high as `/../a`.
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

export interface UpstreamPathParts {
  /** The service's path. */
  readonly base: string
  /** The normalized path of the request. */
  readonly path: string
  /** The part that the route matched; undefined if it is not to be stripped, or the route has no paths. */
  readonly stripped: string | undefined
  readonly stripPath: boolean
}

/**
 * Kong's `path_handling: v0`: joins the service's path and the request's with exactly one slash, to the path that the upstream sees.
 * Checked against 106 cases measured on Kong (tests/data/kong-path-handling-v0.json).
 */
export function upstreamPath({ base, path, stripped, stripPath }: UpstreamPathParts): string {
  const prefix = base.endsWith('/') ? base.slice(0, -1) : base
  if (!stripPath) {
    // A bare `/` adds nothing to a service path.
    return path === '/' ? base : prefix + path
  }
  const rest = withoutLeadingDots(stripped === undefined ? path.slice(1) : path.slice(stripped.length))
  if (rest !== '') return rest.startsWith('/') ? prefix + rest : `${prefix}/${rest}`
  if (base === '/') return '/'
  // Everything was stripped. The trailing slash is the request's, not the service's, except for the root.
  if (path === '/') return base.endsWith('/') ? base : prefix
  return path.endsWith('/') ? `${prefix}/` : prefix
}

/** Stripping `/route` from `/route../x` must not leave `../x`, which would climb. */
function withoutLeadingDots(rest: string): string {
  if (rest === '.' || rest === '..') return ''
  if (rest.startsWith('./')) return rest.slice(2)
  if (rest.startsWith('../')) return rest.slice(3)
  return rest
}
