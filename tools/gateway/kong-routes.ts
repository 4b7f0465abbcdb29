import type { PublicRoute, PublicService } from './public-routes.ts'

const INDENT = '    '

/**
 * A service's `routes` for kong.yml. Paths are whole regular expressions: Kong's plain paths are prefixes, which would
 * let `/blog/list/latest/anything` reach the service.
 */
export function kongRoutes({ prefix }: Pick<PublicService, 'prefix'>, routes: readonly PublicRoute[]): string {
  const lines = routes.length === 0 ? ['routes: []'] : ['routes:', ...routes.flatMap(route => entry(route, prefix))]
  return lines.map(line => `${INDENT}${line}\n`).join('')
}

function entry({ name, method, path, permission }: PublicRoute, prefix: string): string[] {
  return [
    `  - name: ${name}`,
    `    paths: ["~${pattern(prefix + path)}$"]`,
    `    methods: [${method}]`,
    '    strip_path: false',
    ...(permission === undefined ? [] : [`    plugins: [*${permission.toLowerCase()}]`]),
  ]
}

/**
 * A parameter is one segment that is not empty. What it has to look like stays the service's to say: its refusal is a 400
 * that names the parameter, where the gateway's would be a bare 404.
 */
function pattern(path: string): string {
  return path
    .split('/')
    .map(segment => (segment.startsWith(':') ? '[^/]+' : segment.replaceAll('.', '[.]')))
    .join('/')
}
