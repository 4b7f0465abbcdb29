import { isMap, type YAMLMap, type YAMLSeq } from 'yaml'
import { columnOf, type Edit, endOf, indented, memberEdit, parseYaml, seqIn, withCheckedEdits } from '../yaml-text.ts'
import { hasAnchor, newService, upstreamEdits } from './new-service.ts'
import { optionsPathsOf, type PublicRoute, type PublicService, publicRoutesOf } from './public-routes.ts'

/**
 * What a gateway must not repeat stands in a second service, because Kong's `retries` belong to a service. So does what is streamed,
 * because of its `read_timeout`. These are the ends of their names.
 */
const KINDS = ['', '-once', '-streamed', '-streamed-once'] as const
type Kind = (typeof KINDS)[number]

const KIND = /(-streamed)?(-once)?$/

/**
 * The text of a kong.yml with the routes of these services as their contracts have them; everything else stays as its author wrote it. A
 * service that is missing is added, like one that is there.
 *
 * ```yaml
 *   - name: blog-service
 *     url: http://blog:8002
 *     routes: …
 *   - name: blog-service-once
 *     url: http://blog:8002
 *     retries: 0
 *     routes: …
 *   - name: blog-service-streamed
 *     url: http://blog:8002
 *     read_timeout: …
 *     routes: …
 * ```
 *
 * @throws {Error} when the text is not YAML, has no list of services, lacks an anchor that the routes use, or has a service twice
 */
export function withRoutes(text: string, services: readonly PublicService[]): string {
  return services.reduce(withRoutesOf, text)
}

function withRoutesOf(text: string, service: PublicService): string {
  const document = parseYaml(text)
  const list = seqIn(document.contents, 'services')
  if (!list) throw new Error('there is no list of services, which begins with "services:"')
  const all = publicRoutesOf(service)
  const grouped = Object.groupBy(all, kindOf)
  const found = new Map(KINDS.map(kind => [kind, foundService(list, service, kind)]))
  for (const anchor of new Set(all.flatMap(({ permission }) => permission?.toLowerCase() ?? [])))
    if (!hasAnchor(document, anchor))
      throw new Error(
        `routes of ${service.name} use *${anchor}: define &${anchor}, as kong/kong.yml does below _ignore`,
      )
  // A file without this anchor has no limits.
  const hasLimit = hasAnchor(document, 'limited')
  refuseOthers([...found.values()], new Set([service.name, ...all.map(({ name }) => name.split('.', 1)[0] ?? '')]))
  const edits: Edit[] = []
  const generated = new Map<string, readonly string[]>()
  const added: string[] = []
  for (const kind of KINDS) {
    const routes = grouped[kind] ?? []
    const members = membersOf(routes, service, { hasLimit, options: kind === '' ? optionsEntries(service, all) : [] })
    const map = found.get(kind)
    if (map) {
      edits.push(...Object.entries(members).map(([key, lines]) => memberEdit(text, map, key, lines)))
      generated.set(String(map.get('name')), Object.keys(members))
    } else if (kind === '' || routes.length > 0)
      added.push(
        ...newService(text, { list, like: found.get(''), service, kind }),
        ...Object.values(members)
          .flat()
          .map(line => `  ${line}`),
        '',
      )
  }
  if (added.length > 0) edits.push(appended(text, list, added), ...upstreamEdits(text, document, service))
  const counts = [list.items.length, seqIn(document.contents, 'upstreams')?.items.length ?? 0] as const
  return withCheckedEdits(text, edits, value => withoutGenerated(value as KongFile, counts, generated))
}

interface KongFile {
  readonly services: readonly Readonly<Record<string, unknown>>[]
  readonly upstreams?: readonly unknown[]
}

/** The names of services, and what is generated of each. */
type Members = ReadonlyMap<string, readonly string[]>

/** What was there before, by the numbers of services and upstreams, and is not generated. */
function withoutGenerated(file: KongFile, counts: readonly [services: number, upstreams: number], generated: Members) {
  const { services, upstreams = [], ...others } = file
  const kept = services.slice(0, counts[0]).map(service => {
    const members = generated.get(String(service.name)) ?? []
    return Object.entries(service).filter(([key]) => !members.includes(key))
  })
  return { others, kept, upstreams: upstreams.slice(0, counts[1]) }
}

/** The routes of these services are replaced, so there must be none that somebody wrote. @throws {Error} */
function refuseOthers(maps: readonly (YAMLMap | undefined)[], prefixes: ReadonlySet<string>): void {
  for (const map of maps)
    for (const route of (map && seqIn(map, 'routes')?.items) ?? []) {
      const name = isMap(route) ? String(route.get('name') ?? '') : ''
      if (!prefixes.has(name.split('.', 1)[0] ?? ''))
        throw new Error(
          `the routes of ${String(map?.get('name'))} are generated, but "${name}" is not one of them: move it to a service of another name`,
        )
    }
}

/** Behind the last entry, after an empty line. */
function appended(text: string, list: YAMLSeq, lines: readonly string[]): Edit {
  const at = endOf(text, list)
  const last = list.items.at(-1)
  const column = isMap(last) ? columnOf(text, last) - 2 : 2
  return { start: at, end: at, text: `\n${indented(lines.slice(0, -1), column)}` }
}

function kindOf({ sentOnce, streamedMs }: PublicRoute): Kind {
  return `${streamedMs === undefined ? '' : '-streamed'}${sentOnce ? '-once' : ''}`
}

function foundService(list: YAMLSeq, { name }: PublicService, kind: Kind): YAMLMap | undefined {
  const found = list.items.filter(isMap).filter(each => {
    const called = String(each.get('name') ?? '')
    const base = called.replace(KIND, '')
    return (base === name || base === `${name}-service`) && called === base + kind
  })
  if (found.length > 1) throw new Error(`services: ${name}${kind} is there ${found.length} times`)
  return found[0]
}

/**
 * What is generated of a service in kong.yml. Paths are whole regular expressions: Kong's plain paths are prefixes, which would
 * let `/blog/list/latest/anything` reach the service.
 */
function membersOf(
  routes: readonly PublicRoute[],
  { prefix }: PublicService,
  { hasLimit, options }: { readonly hasLimit: boolean; readonly options: readonly string[] },
): Readonly<Record<string, readonly string[]>> {
  const silences = routes.flatMap(({ streamedMs }) => streamedMs ?? [])
  const entries = [...routes.flatMap(route => entry(route, prefix, hasLimit)), ...options]
  return {
    ...(silences.length === 0 ? {} : { read_timeout: [`read_timeout: ${Math.max(...silences)}`] }),
    routes: entries.length === 0 ? ['routes: []'] : ['routes:', ...entries],
  }
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
