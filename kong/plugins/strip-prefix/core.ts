/*
 * strip-prefix without I/O: compiled to Lua for Kong, used as it is by the embedded gateway.
 */

/** Higher runs first, on Kong's scale: after every check of access, before the request is signed as it is forwarded. */
export const PRIORITY = 800

/** The path without the prefix; undefined when it does not lie below it, as the route is not the plugin's then. */
export function withoutPrefix(path: string, prefix: string): string | undefined {
  return path.startsWith(`${prefix}/`) ? path.substring(prefix.length) : undefined
}
