import { withoutPrefix } from './core.ts'

export { PRIORITY } from './core.ts'
export const VERSION = '0.1.0'

interface Config {
  readonly prefix: string
}

export function access(this: unknown, { prefix }: Config): void {
  // Already escaped, and without the query.
  const path = withoutPrefix(ngx.var.upstream_uri, prefix)
  if (path === undefined) {
    // The plugin is on the wrong route: nothing is forwarded.
    kong.response.exit(500, { message: 'An unexpected error occurred' })
    return
  }
  ngx.var.upstream_uri = path
  ngx.var.upstream_x_forwarded_prefix = prefix
}
