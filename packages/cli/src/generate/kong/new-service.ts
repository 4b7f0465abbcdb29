import { type Document, isAlias, isMap, isNode, isScalar, type Node, visit, type YAMLMap, type YAMLSeq } from 'yaml'
import { columnOf, type Edit, endOf, indented, seqIn } from '../yaml-text.ts'
import type { PublicService } from './public-routes.ts'

/** What a new service has of one that is there; the rest is its own. */
const OF_ANOTHER = ['connect_timeout', 'write_timeout', 'read_timeout', 'tls_verify']

export function hasAnchor(document: Document.Parsed, name: string): boolean {
  const anchors = new Set<string | undefined>()
  visit(document, { Node: (_key, node) => void (isAlias(node) || anchors.add(node.anchor)) })
  return anchors.has(name)
}

interface Wanted {
  readonly list: YAMLSeq
  /** The service for everything else, if it is there. */
  readonly like: YAMLMap | undefined
  readonly service: PublicService
  /** `-once`, `-streamed` … */
  readonly kind: string
}

/** The lines of a service's entry in front of its routes. */
export function newService(
  text: string,
  { list, like, service: { name, host = name, port = 80, prefix }, kind }: Wanted,
): string[] {
  const others = list.items.filter(isMap)
  const model = like ?? others.find(each => each.has('connect_timeout'))
  const called = like ? String(like.get('name')) : `${name}-service`
  const taken = model?.items.flatMap(({ key, value }) => {
    const field = isScalar(key) ? String(key.value) : ''
    const isStreamed = kind.startsWith('-streamed') && field === 'read_timeout'
    if (!OF_ANOTHER.includes(field) || isStreamed || !isScalar(value)) return []
    return [`${field}: ${value.source ?? value.value}`]
  })
  const plugins = like ? copied(text, like, 'plugins') : prefix === '' ? [] : stripPrefix(prefix)
  return [
    `- name: ${called}${kind}`,
    `  url: ${like ? String(like.get('url')) : `http://${host}:${port}`}`,
    ...(kind.endsWith('-once') ? ['  retries: 0'] : []),
    ...[...(taken ?? []), ...plugins].map(line => `  ${line}`),
  ]
}

const stripPrefix = (prefix: string) => ['plugins:', '  - name: strip-prefix', '    config:', `      prefix: ${prefix}`]

/** The lines of a member as they stand there. */
function copied(text: string, map: YAMLMap, name: string): readonly string[] {
  const pair = map.items.find(({ key }) => isScalar(key) && key.value === name)
  if (!pair || !isNode(pair.key) || !isNode(pair.value)) return []
  const column = columnOf(text, pair.key)
  const start = (pair.key.range?.[0] ?? 0) - column
  const lines = text.slice(start, endOf(text, pair.value)).split('\n').slice(0, -1)
  return lines.map(line => line.slice(column))
}

/** In a file with upstreams, a service's host has to be one, with as many targets as the others have. */
export function upstreamEdits(
  text: string,
  document: Document.Parsed,
  { name, host = name, port = 80 }: PublicService,
): readonly Edit[] {
  const upstreams = seqIn(document.contents, 'upstreams')
  const [model] = upstreams?.items.filter(isMap) ?? []
  if (!upstreams || !model || upstreams.items.some(each => isMap(each) && each.get('name') === host)) return []
  const count = seqIn(model, 'targets')?.items.length ?? 0
  const checks = model.get('healthchecks', true) as Node | undefined
  const anchor = checks && !isAlias(checks) ? (checks as { anchor?: string }).anchor : undefined
  const lines = [
    `- name: ${host}`,
    `  algorithm: ${String(model.get('algorithm') ?? 'round-robin')}`,
    '  targets:',
    ...Array.from({ length: count }, (_, index) => `    - target: ${host}-${index + 1}:${port}`),
    ...(anchor === undefined
      ? copied(text, model, 'healthchecks').map(line => `  ${line}`)
      : [`  healthchecks: *${anchor}`]),
  ]
  const at = endOf(text, upstreams)
  return [{ start: at, end: at, text: indented(lines, columnOf(text, model) - 2) }]
}
