import { type PublicRoute, type PublicService, publicRoutesOf } from './public-routes.ts'

const begin = (block: string) => `# <routes of ${block}> written by "tsmicro gateway generate" from its contracts`
const end = (block: string) => `# </routes of ${block}>`
const BEGIN = /^ *# <routes of ([\w-]+)(?: sent once)?>.*$/gm

/** Routes that stand together in a file: those of one of its services. */
interface Block {
  /** What its marks name. */
  readonly name: string
  readonly routes: readonly PublicRoute[]
  /** May be left out when it would be empty. */
  readonly optional: boolean
}

/**
 * The text of a kong.yml with the routes between its marks rewritten; everything else stays as its author wrote it. What a gateway
 * must not repeat stands in a second service, because Kong's `retries` belong to a service.
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
  const routes = publicRoutesOf(service)
  const [often, once] = [routes.filter(({ sentOnce }) => !sentOnce), routes.filter(({ sentOnce }) => sentOnce)]
  const blocks: Block[] = [
    { name: service.name, routes: often, optional: false },
    { name: `${service.name} sent once`, routes: once, optional: once.length === 0 },
  ]
  return blocks.reduce((before, block) => withBlock(before, block, service), text)
}

function withBlock(text: string, { name, routes, optional }: Block, service: PublicService): string {
  const block = new RegExp(`^( *)# <routes of ${name}>[^\\n]*\\n([^]*?)^ *# </routes of ${name}>$`, 'gm')
  const found = [...text.matchAll(block)]
  if (found.length === 0 && optional) return text
  if (found.length !== 1) throw new Error(`${found.length} pairs of the marks ${marksOf(name)}: there has to be one`)
  const written = kongRoutes(service, routes)
  return text.replace(block, (_all, indent: string) => `${indent}${begin(name)}\n${written}${indent}${end(name)}`)
}

function marksOf(name: string): string {
  const where = name.endsWith(' sent once') ? ', in a service with retries: 0,' : ''
  return `"${begin(name)}" and "${end(name)}"${where}`
}

/**
 * A service's `routes` for kong.yml. Paths are whole regular expressions: Kong's plain paths are prefixes, which would
 * let `/blog/list/latest/anything` reach the service.
 */
function kongRoutes({ prefix }: Pick<PublicService, 'prefix'>, routes: readonly PublicRoute[]): string {
  const lines = routes.length === 0 ? ['routes: []'] : ['routes:', ...routes.flatMap(route => entry(route, prefix))]
  return lines.map(line => `    ${line}\n`).join('')
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
