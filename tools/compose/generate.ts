import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SystemConfig } from '@tsmicro/cli'
import type { GeneratedFile, ServiceDescription } from '@tsmicro/cli/generate'
import { endOf, indented, mapIn, memberEdit, parseYaml, seqIn, withCheckedEdits } from '@tsmicro/cli/generate'
import { isMap, parse } from 'yaml'
import { databasePassword, databasesLines } from './databases.ts'

export interface Deployed {
  readonly services: SystemConfig['services']
  readonly described: readonly ServiceDescription[]
  /** The users in `nats.conf`. */
  readonly natsUsers: readonly string[]
}

/** A database of its own, that a service is given in its variable. */
interface Database {
  readonly service: string
  readonly variable: string
  readonly kind: 'postgres' | 'mongodb'
  readonly name: string
}

const SECRETS = 'deploy/secrets.json'
const identifier = (name: string) => name.replaceAll('-', '_')

/**
 * The compose files and the list of secrets, with what a service or NATS user lacks there: its entry, its secrets, its database. What is
 * there already stays as it is.
 */
export function deployFiles(root: string, deployed: Deployed): readonly GeneratedFile[] {
  const kept = JSON.parse(readFileSync(join(root, SECRETS), 'utf8')) as Readonly<Record<string, string>>
  const added = new Map<string, string>()
  const databases = deployed.described
    .flatMap(databasesOf)
    .filter(each => passwordOf(each) in kept || !(secretOf(each) in kept))
  for (const user of deployed.natsUsers) added.set(`${identifier(user)}_nats_password`, '')
  for (const { service } of deployed.described)
    added.set(`${identifier(service)}_nats_url`, `nats://${service}:{${identifier(service)}_nats_password}@nats:4222`)
  for (const database of databases) {
    const { name, kind } = database
    const address = kind === 'postgres' ? `postgres:5432/${name}` : `mongodb:27017/${name}?authSource=${name}`
    added.set(passwordOf(database), '')
    added.set(secretOf(database), `${kind}://${name}:{${passwordOf(database)}}@${address}`)
  }
  const secrets = { ...Object.fromEntries(added), ...kept }
  const ordered = Object.fromEntries([...Object.keys(kept), ...added.keys()].map(name => [name, secrets[name]]))
  const files = globSync('deploy/docker-compose*.yml', { cwd: root }).sort()
  return [
    { path: SECRETS, text: `${JSON.stringify(ordered, undefined, 2)}\n` },
    ...files.map(path => ({
      path,
      text: composeText(readFileSync(join(root, path), 'utf8'), {
        ...deployed,
        databases,
        secrets: Object.keys(ordered),
      }),
    })),
  ]
}

const passwordOf = ({ kind, name }: Database) => databasePassword(kind, name)
const secretOf = ({ service, variable }: Database) => `${identifier(service)}_${variable.toLowerCase()}`

function databasesOf({ service, env }: ServiceDescription): readonly Database[] {
  return Object.entries(env).flatMap(([variable, value]) => {
    const [, scheme, name = ''] = /^(postgres|mongodb):\/\/nowhere:\d+\/([^?]+)/.exec(value) ?? []
    if (scheme !== 'postgres' && scheme !== 'mongodb') return []
    return [{ service, variable, kind: scheme, name }]
  })
}

interface Wanted extends Deployed {
  readonly databases: readonly Database[]
  readonly secrets: readonly string[]
}

function composeText(text: string, wanted: Wanted): string {
  const { described, databases, natsUsers, secrets } = wanted
  const entries = readServices(text)
  const names = Object.keys(entries)
  const numbers = names.flatMap(name => /-(\d+)$/.exec(name)?.[1] ?? []).map(Number)
  const replicas = Math.max(0, ...numbers)
  const instances = (service: string) =>
    replicas === 0 ? [service] : Array.from({ length: replicas }, (_, index) => `${service}-${index + 1}`)
  for (const { service } of described) for (const name of instances(service)) refuseOther(service, name, entries[name])
  const missing = described.filter(({ service }) => instances(service).some(name => !names.includes(name)))
  let changed = text
  for (const each of missing) {
    const [first = '', ...others] = instances(each.service)
    const port = wanted.services[each.service]?.port
    const lines = serviceLines(each, first, port, databases, others.length > 0)
    changed = appended(changed, 'services', [
      '',
      ...lines,
      ...others.flatMap(name => ['', `${name}:`, `  <<: *${each.service}`]),
    ])
    for (const name of [first, ...others])
      changed = withMember(changed, ['services', 'kong', 'depends_on'], name, '{ condition: service_healthy }')
  }
  for (const kind of ['postgres', 'mongodb'] as const) {
    const own = databases.filter(database => database.kind === kind && secrets.includes(passwordOf(database)))
    if (own.length === 0) continue
    const lines = databasesLines(kind, [...new Set(own.map(({ name }) => name))])
    const name = lines[0]?.replace(':', '') ?? ''
    changed = names.includes(name)
      ? withLines(changed, ['services'], name, lines)
      : appended(changed, 'services', ['', ...lines])
  }
  const users = natsUsers.map(identifier)
  changed = withMember(changed, ['services', 'nats', 'environment'], 'NATS_USERS', users.join(' '))
  changed = withNatsSecrets(
    changed,
    users.map(user => `${user}_nats_password`),
  )
  for (const name of secrets) changed = withMember(changed, ['secrets'], name, `{ file: ./secrets/${name} }`)
  return changed
}

interface Entry {
  readonly build?: { readonly args?: { readonly SERVICE?: string } }
}

function readServices(text: string): Readonly<Record<string, Entry | undefined>> {
  return (parse(text, { merge: true, maxAliasCount: -1 }) as { services: Readonly<Record<string, Entry>> }).services
}

/** @throws {Error} if an entry of that name is there for something else: Kong, a database, an operator's program */
function refuseOther(service: string, name: string, entry: Entry | undefined): void {
  if (entry && entry.build?.args?.SERVICE !== service)
    throw new Error(`the entry ${name} does not build the service ${service}: one of the two needs another name`)
}

function serviceLines(
  { service, env }: ServiceDescription,
  name: string,
  port: number | undefined,
  databases: readonly Database[],
  isModel: boolean,
): string[] {
  const own = databases.filter(each => each.service === service)
  const files = new Map<string, string>()
  for (const [variable, value] of Object.entries(env)) {
    if (value.startsWith('nats://')) files.set(variable, `${identifier(service)}_nats_url`)
    if (variable === 'GATEWAY_SECRET' || variable === 'VERIFY_SECRET') files.set(variable, variable.toLowerCase())
  }
  for (const database of own) files.set(database.variable, secretOf(database))
  const healthy = [...new Set(own.map(({ kind }) => kind)), 'nats']
  const completed = [...new Set(own.map(({ kind }) => `${kind}-databases`)), 'streams']
  return [
    `${name}:${isModel ? ` &${service}` : ''}`,
    '  <<: *service',
    `  image: tsmicro/${service}:0.1.0`,
    `  build: { context: .., dockerfile: deploy/Dockerfile, args: { SERVICE: ${service} } }`,
    '  environment:',
    '    NODE_ENV: production',
    '    HOST: 0.0.0.0',
    `    PORT: "${port}"`,
    ...[...files].map(([variable, secret]) => `    ${variable}_FILE: /run/secrets/${secret}`),
    `  secrets: [${[...files.values()].join(', ')}]`,
    '  depends_on:',
    ...healthy.map(each => `    ${each}: { condition: service_healthy }`),
    ...completed.map(each => `    ${each}: { condition: service_completed_successfully }`),
    '  healthcheck: *ready',
    '  stop_grace_period: 30s',
    '  deploy: *service-limits',
  ]
}

function mapAt(text: string, path: readonly string[]) {
  let map: unknown = parseYaml(text).contents
  for (const key of path) map = mapIn(map, key)
  if (!isMap(map)) throw new Error(`there is no ${path.join('.')}`)
  return map
}

/** A member on one line: it is replaced only if it says something else. */
function withMember(text: string, path: readonly string[], key: string, value: string): string {
  const map = mapAt(text, path)
  if (map.has(key) && path.at(-1) !== 'environment' && key !== 'secrets') return text
  return withLines(text, path, key, [`${key}: ${value}`])
}

/** The secrets of NATS, with those that it lacks. */
function withNatsSecrets(text: string, wanted: readonly string[]): string {
  const path = ['services', 'nats']
  const secrets = (seqIn(mapAt(text, path), 'secrets')?.toJSON() ?? []) as readonly (string | { source?: string })[]
  const names = secrets.map(each => (typeof each === 'string' ? each : each.source))
  const missing = wanted.filter(name => !names.includes(name))
  if (missing.length === 0) return text
  const all = [...secrets, ...missing].map(each => (typeof each === 'string' ? each : JSON.stringify(each)))
  return withLines(text, path, 'secrets', [`secrets: [${all.join(', ')}]`])
}

function withLines(text: string, path: readonly string[], key: string, lines: readonly string[]): string {
  return withCheckedEdits(text, [memberEdit(text, mapAt(text, path), key, lines)], value => without(value, path, key))
}

function appended(text: string, key: string, lines: readonly string[]): string {
  const map = mapAt(text, [key])
  const count = map.items.length
  const end = endOf(text, map)
  return withCheckedEdits(text, [{ start: end, end, text: indented(lines, 2) }], value => {
    const { [key]: members, ...others } = value as Readonly<Record<string, object>>
    return { others, members: Object.entries(members ?? {}).slice(0, count) }
  })
}

/** Without one member, wherever aliases repeat it. */
function without(value: unknown, path: readonly string[], key: string): unknown {
  let parent = value as Record<string, unknown>
  for (const each of path) parent = parent[each] as Record<string, unknown>
  delete parent[key]
  return value
}
