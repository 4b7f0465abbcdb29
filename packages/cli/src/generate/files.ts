import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LoadedConfig } from '../config.ts'
import type { SystemConfig } from '../config-types.ts'
import { CliError } from '../errors.ts'
import { describeServices } from './describe.ts'
import { withRoutes } from './kong/kong-file.ts'
import type { PublicService } from './kong/public-routes.ts'
import type { Generate, GeneratedFile, GeneratorInput, ServiceDescription } from './types.ts'

/** Everything that is made from a system's definition, as it ought to be. @throws CliError in one line */
export async function generatedFiles({ config, root }: LoadedConfig): Promise<readonly GeneratedFile[]> {
  const services = await publicServices(config, root)
  let described: Promise<readonly ServiceDescription[]> | undefined
  const input: GeneratorInput = {
    ...{ root, config, services },
    describe: () => {
      described ??= describeServices(config, root)
      return described
    },
  }
  const { gateway, generators = [] } = config
  const paths = [gateway?.config, gateway?.loadBalancedConfig].filter(path => path !== undefined)
  const kong = paths.map(path => kongFile(root, path, services))
  const own = await Promise.all(generators.map(async path => (await loadGenerator(root, path))(input)))
  return [...kong, ...own.flat()]
}

/** The services whose contracts a configuration names, as the gateway makes them public: each below its name. */
export async function publicServices(config: SystemConfig, root: string): Promise<readonly PublicService[]> {
  const named = Object.entries(config.services).flatMap(([name, { contract, port, host = name }]) =>
    contract === undefined ? [] : [{ name, port, host, contract }],
  )
  return Promise.all(
    named.map(async ({ name, port, host, contract }) => {
      const exported = (await import(pathToFileURL(resolve(root, contract)).href)) as object
      return { name, port, host, prefix: `/${name}`, exported }
    }),
  )
}

function kongFile(root: string, path: string, services: readonly PublicService[]): GeneratedFile {
  try {
    return { path, text: withRoutes(readFileSync(resolve(root, path), 'utf8'), services) }
  } catch (error) {
    throw new CliError(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function loadGenerator(root: string, path: string): Promise<Generate> {
  const module = (await import(pathToFileURL(resolve(root, path)).href)) as { readonly generate?: Generate }
  if (typeof module.generate !== 'function') throw new CliError(`${path} exports no function generate`)
  return module.generate
}

/** Those that are not there, or say something else. */
export function outOfStep(root: string, files: readonly GeneratedFile[]): readonly GeneratedFile[] {
  return files.filter(({ path, text }) => {
    const file = resolve(root, path)
    return !existsSync(file) || readFileSync(file, 'utf8') !== text
  })
}
