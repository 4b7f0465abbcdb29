/*
 * strip-prefix without I/O: compiled to Lua for Kong, and used directly by the embedded gateway.
 */

/** Higher runs first, on Kong's scale: after every access check, and before the request is signed. */
export const PRIORITY = 800

/** Returns the path without the prefix; undefined if the path is not below it, because then the plugin is on the wrong route. */
export function withoutPrefix(path: string, prefix: string): string | undefined {
  return path.startsWith(`${prefix}/`) ? path.substring(prefix.length) : undefined
}
