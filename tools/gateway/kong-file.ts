import { optionsPathsOf, type PublicRoute, type PublicService, publicRoutesOf } from './public-routes.ts'

const begin = (block: string) => `# <routes of ${block}> written by "tsmicro gateway generate" from its contracts`
const end = (block: string) => `# </routes of ${block}>`
const BEGIN = /^ *# <routes of ([\w-]+)(?: streamed)?(?: sent once)?>.*$/gm

/** Routes that stand together in a file: those of one of its services. */
interface Block {
  /** What its marks name. */
  readonly name: string
  readonly routes: readonly PublicRoute[]
  /** May be left out when it would be empty. */
  readonly optional: boolean
  /** The routes of OPTIONS, for all paths of the service. */
  readonly options: readonly string[]
}

/**
 * The text of a kong.yml with the routes between its marks rewritten; everything else stays as its author wrote it. What a gateway
 * must not repeat stands in a second service, because Kong's `retries` belong to a service. So does what is streamed, whose
 * `read_timeout` is written between the marks.
 *
 * ```yaml
 *   - name: blog-service
 *     url: http://blog:8002
 *     # <routes of blog> written by "tsmicro gateway generate" from its contracts
 *     routes: …
 *     # </routes of blog>
 *   - name: blog-service-once
 *     url: http://blog:8002
 *     retries: 0
 *     # <routes of blog sent once> written by "tsmicro gateway generate" from its contracts
 *     routes: …
 *     # </routes of blog sent once>
 *   - name: blog-service-streamed
 *     url: http://blog:8002
 *     # <routes of blog streamed> written by "tsmicro gateway generate" from its contracts
 *     read_timeout: …
 *     routes: …
 *     # </routes of blog streamed>
 * ```
 *
 * @throws {Error} when a service has no pair of marks, has two, or a mark names an unknown service
 */
export function withRoutes(text: string, services: readonly PublicService[]): string {
  const unknown = [...text.matchAll(BEGIN)].find(([, name]) => !services.some(service => service.name === name))
  if (unknown) throw new Error(`there is no service ${unknown[1]}, which a mark names`)
  return services.reduce(withRoutesOf, text)
}

function withRoutesOf(text: string, service: PublicService): string {
  const all = publicRoutesOf(service)
  const grouped = Object.groupBy(all, blockOf)
  return BLOCKS.reduce((before, kind) => {
    const routes = grouped[kind] ?? []
    const options = kind === '' ? optionsEntries(service, all) : []
    return withBlock(
      before,
      { name: service.name + kind, routes, options, optional: kind !== '' && routes.length === 0 },
      service,
    )
  }, text)
}

/** What the marks of a block say after the name of its service. */
const BLOCKS = ['', ' sent once', ' streamed', ' streamed sent once'] as const

function blockOf({ sentOnce, streamedMs }: PublicRoute): (typeof BLOCKS)[number] {
  return `${streamedMs === undefined ? '' : ' streamed'}${sentOnce ? ' sent once' : ''}`
}

function withBlock(text: string, block: Block, service: PublicService): string {
  const { name, optional } = block
  const place = new RegExp(`^( *)# <routes of ${name}>[^\\n]*\\n([^]*?)^ *# </routes of ${name}>$`, 'gm')
  const found = [...text.matchAll(place)]
  if (found.length === 0 && optional) return text
  if (found.length !== 1) throw new Error(`${found.length} pairs of the marks ${marksOf(name)}: there has to be one`)
  const written = kongRoutes(service, block, text)
  return text.replace(place, (_all, indent: string) => `${indent}${begin(name)}\n${written}${indent}${end(name)}`)
}

function marksOf(name: string): string {
  const retries = name.endsWith(' sent once') ? ' with retries: 0' : ''
  const timeout = name.includes(' streamed') ? ' without a read_timeout' : ''
  const where = retries || timeout ? `, in a service${retries}${timeout},` : ''
  return `"${begin(name)}" and "${end(name)}"${where}`
}

/**
 * A service's `routes` for kong.yml. Paths are whole regular expressions: Kong's plain paths are prefixes, which would
 * let `/blog/list/latest/anything` reach the service.
 */
function kongRoutes({ prefix }: Pick<PublicService, 'prefix'>, { routes, options }: Block, text: string): string {
  const silences = routes.flatMap(({ streamedMs }) => streamedMs ?? [])
  // A file without this anchor has no limits.
  const hasLimit = /^[^#\n]*&limited\b/m.test(text)
  const entries = [...routes.flatMap(route => entry(route, prefix, hasLimit)), ...options]
  const lines = [
    ...(silences.length === 0 ? [] : [`read_timeout: ${Math.max(...silences)}`]),
    ...(entries.length === 0 ? ['routes: []'] : ['routes:', ...entries]),
  ]
  return lines.map(line => `    ${line}\n`).join('')
}

function entry(route: PublicRoute, prefix: string, hasLimit: boolean): string[] {
  const { name, method, path, permission, priority, streamedMs, uploadBytes, limited } = route
  const kilobytes = Math.ceil((uploadBytes ?? 0) / 1024)
  const size = `{ name: request-size-limiting, config: { allowed_payload_size: ${kilobytes}, size_unit: kilobytes } }`
  const plugins = [
    ...(permission === undefined ? [] : [`*${permission.toLowerCase()}`]),
    ...(limited && hasLimit ? ['*limited'] : []),
    ...(uploadBytes === undefined ? [] : [size]),
  ]
  return [
    `  - name: ${name}`,
    `    paths: ["~${pattern(prefix + path)}$"]`,
    `    methods: [${method === 'GET' ? 'GET, HEAD' : method}]`,
    ...(priority === undefined ? [] : [`    regex_priority: ${priority}`]),
    '    strip_path: false',
    ...(streamedMs === undefined ? [] : ['    response_buffering: false']),
    ...(uploadBytes === undefined ? [] : ['    request_buffering: false']),
    ...(plugins.length === 0 ? [] : [`    plugins: [${plugins.join(', ')}]`]),
  ]
}

function optionsEntries({ name, prefix }: PublicService, routes: readonly PublicRoute[]): string[] {
  const { read, open } = optionsPathsOf(routes)
  const of = (kind: string, paths: readonly string[], plugins: readonly string[]) =>
    paths.length === 0
      ? []
      : [
          `  - name: ${name}.options.${kind}`,
          '    paths:',
          ...[...new Set(paths.map(path => pattern(prefix + path)))].map(path => `      - "~${path}$"`),
          '    methods: [OPTIONS]',
          '    strip_path: false',
          ...plugins.map(plugin => `    plugins: [${plugin}]`),
        ]
  return [...of('read', read, ['*read']), ...of('open', open, [])]
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
