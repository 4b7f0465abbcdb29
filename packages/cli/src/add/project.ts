import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../config.ts'
import type { SystemConfig } from '../config-types.ts'
import { CliError } from '../errors.ts'

/** The project that a generator writes into. */
export interface Project {
  readonly root: string
  readonly configFile: string
  readonly config: SystemConfig
  /** If contracts and services are packages of a workspace, the scope of their names: `@blog-platform`. */
  readonly scope: string | undefined
  /** Of what new manifests name, as the project's own have them. */
  readonly versions: Readonly<Record<string, string>>
}

interface Manifest {
  readonly name?: string
  readonly license?: string
  readonly workspaces?: readonly string[]
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** @throws CliError outside of a project */
export async function openProject(configFile: string): Promise<Project> {
  if (!existsSync(configFile)) throw new CliError(`${configFile} does not exist: run this in the project's folder`)
  const root = dirname(resolve(configFile))
  const { config } = await loadConfig(configFile)
  const own = readManifest(join(root, 'package.json'))
  const others = globSync('{contracts,services}/*/package.json', { cwd: root }).map(path =>
    readManifest(join(root, path)),
  )
  const isWorkspace = ['contracts/*', 'services/*'].every(each => own.workspaces?.includes(each))
  const named = others.find(({ name }) => name?.startsWith('@'))?.name ?? `@${own.name ?? 'system'}/`
  const known = others.flatMap(({ dependencies = {}, devDependencies = {} }) =>
    Object.entries({ ...devDependencies, ...dependencies }),
  )
  return {
    ...{ root, configFile, config },
    scope: isWorkspace ? named.slice(0, named.indexOf('/')) : undefined,
    versions: {
      ...driverVersions(),
      ...Object.fromEntries(known),
      ...(own.license ? { license: own.license } : {}),
    },
  }
}

/** The versions that tsmicro is made for. */
export function driverVersions(): Readonly<Record<string, string>> {
  const manifest = JSON.parse(readFileSync(fileURLToPath(import.meta.resolve('tsmicro/package.json')), 'utf8')) as {
    readonly peerDependencies: Readonly<Record<string, string>>
  }
  return manifest.peerDependencies
}

export function readManifest(path: string): Manifest {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
