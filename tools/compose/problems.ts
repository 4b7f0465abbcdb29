import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { TObject } from 'typebox'
import type { ComposeFile, ComposeService } from './schema.ts'

export interface Context {
  /** Folder of the file. */
  readonly folder: string
  /** What each image of ours reads from its environment. */
  readonly environments: Readonly<Record<string, TObject>>
}

/** What a compose file says that is not so: names that lead nowhere, settings that a service does not know or lacks. */
export function composeProblems(file: ComposeFile, context: Context): string[] {
  const problems = Object.entries(file.services).flatMap(([name, service]) =>
    [
      ...references(file, name, service),
      ...paths(service, context),
      ...environment(service, context),
      ...safety(name, service),
    ].map(problem => `${name}: ${problem}`),
  )
  const used = (kind: 'secrets' | 'volumes') =>
    new Set(Object.values(file.services).flatMap(service => (service[kind] ?? []).map(each => each.split(':')[0])))
  const unused = (['secrets', 'volumes'] as const).flatMap(kind =>
    Object.keys(file[kind])
      .filter(name => !used(kind).has(name))
      .map(name => `${kind}: nobody uses ${name}`),
  )
  return [...problems, ...unused]
}

function networksOf({ networks }: ComposeService): string[] {
  return Array.isArray(networks) ? networks : Object.keys(networks)
}

function references(file: ComposeFile, name: string, service: ComposeService): string[] {
  const missing = (what: string, names: readonly string[], known: object) =>
    names.filter(each => !Object.hasOwn(known, each)).map(each => `there is no ${what} ${each}`)
  const named = (service.volumes ?? []).map(each => each.split(':')[0] ?? '').filter(each => !/^[./]/.test(each))
  const needs = Object.entries(service.depends_on ?? {})
  const unchecked = needs.filter(([need, { condition }]) => {
    const check = file.services[need]?.healthcheck
    return condition === 'service_healthy' && check !== undefined && 'disable' in check
  })
  return [
    ...missing(
      'service',
      needs.map(([need]) => need).filter(need => need !== name),
      file.services,
    ),
    ...missing('network', networksOf(service), file.networks),
    ...missing('secret', service.secrets ?? [], file.secrets),
    ...missing('volume', named, file.volumes),
    ...unchecked.map(([need]) => `waits for the health of ${need}, which has no check`),
  ]
}

function paths({ volumes = [], build }: ComposeService, { folder }: Context): string[] {
  const bound = volumes.map(each => each.split(':')[0] ?? '').filter(each => each.startsWith('.'))
  const dockerfile = build ? [`${build.context}/${build.dockerfile}`] : []
  return [...bound, ...dockerfile]
    .filter(path => !existsSync(resolve(folder, path)))
    .map(path => `${path} does not exist`)
}

/** Names against the schema by which the service reads them; `_FILE` only for secrets, and only of secrets that it is given. */
function environment({ image, environment = {}, secrets = [] }: ComposeService, { environments }: Context): string[] {
  const schema = environments[image]
  const files = Object.values(environment).flatMap(value => /^\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? [])
  const ungiven = files.filter(file => !secrets.includes(file)).map(file => `the secret ${file} is not given to it`)
  if (schema === undefined) return ungiven
  const properties = schema.properties as Record<string, object>
  const isSecret = (name: string) => 'x-secret' in (properties[name] ?? {})
  const names = Object.keys(environment).map(name => {
    const bare = name.replace(/_FILE$/, '')
    return name !== bare && isSecret(bare) ? bare : name
  })
  const needed = (schema.required ?? []).filter(name => !('default' in (properties[name] ?? {})))
  return [
    ...ungiven,
    ...names.filter(name => !(name in properties)).map(name => `sets ${name}, which the service does not read`),
    ...needed.filter(name => !names.includes(name)).map(name => `needs ${name}`),
    ...Object.keys(environment)
      .filter(isSecret)
      .map(name => `${name} is a secret: give it as ${name}_FILE`),
  ]
}

function safety(name: string, service: ComposeService): string[] {
  const { image, user, build, ports = [], cap_drop = [], security_opt = [] } = service
  const tag = /^[a-z0-9./_-]+:([\w.-]+)$/.exec(image)?.[1]
  return [
    ...(tag === undefined || !/^\d+\.\d+/.test(tag) ? [`image ${image} is not pinned to a version`] : []),
    // Our own images say USER node, which tools/dockerfiles.test.ts sees to.
    ...((user === undefined && !build) || user === 'root' || /^0(:|$)/.test(user ?? '') ? ['runs as root'] : []),
    ...(ports.length > 0 && name !== 'kong' ? ['is published beside the gateway'] : []),
    ...(cap_drop.includes('ALL') ? [] : ['keeps capabilities']),
    ...(security_opt.includes('no-new-privileges:true') ? [] : ['may gain privileges']),
  ]
}
